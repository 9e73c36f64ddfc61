//! Small words and letters that give a language away, for languages in Latin letters.
//!
//! The words are in lower case, as the standard view writes them, and the most frequent of their
//! language that few neighbours share. A word or letter that several languages have counts for each
//! of them a part.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::FixedState;

use super::blocks::Blocks;

/// What a word that one language alone has is worth.
pub(super) const VOTE: u32 = 12;
/// Letters are worth at most this many votes a language; a name can bring in one or two.
const LETTER_VOTES_MAX: u32 = 3;

/// A language, its small words, and letters that few other languages have.
type Row = (&'static str, &'static str, &'static str);

const ROWS: [Row; 29] = [
    (
        "en",
        "the and of to in is you that it he was for on are with as they be at this have from or had by not but what all were we when your can said there use an each which she do how their if will up about out many then them these so some her would make like him into time has look more write go see no way could people my than been who its now did get come made may just don't i'm it's i am me us our does why where because very really think know want good should only also here over back after before already always never still two next first new day days year today tomorrow little much many every something nothing",
        "",
    ),
    (
        "es",
        "el la los las de que y en un una por con para como más pero su se al lo es está son del muy ya también hay este esta todo cuando donde porque qué sí nos le mi tu yo ser fue desde hasta sin sobre entre así ahora siempre nunca quién estoy tengo tiene hoy",
        "ñ¿¡",
    ),
    (
        "pt",
        "o os as de que e em um uma para com não por mais mas do da dos das no na ao se como está são muito também você isso ele ela foi ser tem já quando porque eu meu minha seu sua nos ou bem só até sem sobre agora sempre aqui estou tenho hoje pra tá",
        "ãõ",
    ),
    (
        "fr",
        "le la les de des et en un une du que qui est pour dans ce il elle pas ne sur se avec plus par je tu vous nous au aux mais ou où son sa ses être cette ces mon ma mes tout tous fait bien comme très c'est j'ai ça on sont était aussi sans même alors donc quand",
        "œç",
    ),
    (
        "de",
        "der die das und ist nicht ich du sie es wir ihr ein eine einen einem zu den dem des mit auf für von im in an auch als wie aber wenn oder nach bei noch nur so sich hat haben war werden wird sind kann man mein dein aus vor über mehr sehr schon immer doch was hier heute warum wieder",
        "ßäöü",
    ),
    (
        "it",
        "il lo la gli le di che e un una in per con non è sono del della dei delle al alla da dal nel nella si ma come più anche questo questa quando perché mi ti ci se suo sua loro ho hai ha essere fatto molto tutto tutti sempre mai ora io tu noi cosa dove oggi",
        "òì",
    ),
    (
        "nl",
        "de het een en van ik je jij u dat die in is niet op te zijn met voor aan er maar om ook als dan wat bij nog naar heb hebben heeft was wordt worden kan zo wel geen of over uit door deze dit mijn jouw wij ze hij meer waar hoe veel goed moet vandaag",
        "",
    ),
    (
        "sv",
        "och att det som en ett på är av för med den inte jag du vi de han hon till om så men har kan ska var från eller när nu bara också mycket mig dig sig min din vad hur där här vill alla varför idag",
        "åäö",
    ),
    (
        "da",
        "og at det som en et på er af for med den ikke jeg du vi de han hun til om så men har kan skal var fra eller når nu bare også meget mig dig sig min din hvad hvor der her vil alle noget være blev lige",
        "æøå",
    ),
    (
        "nb",
        "og at det som en et på er av for med den ikke jeg du vi de han hun til om så men har kan skal var fra eller når nå bare også mye meg deg seg min din hva hvor der her vil alle noe være ble litt",
        "æøå",
    ),
    (
        "fi",
        "ja on ei että se hän minä sinä me te he mutta kun niin kuin joka ovat oli olla myös vain jos tai tämä mitä miksi nyt sitten vielä hyvin kaikki minun sinun ole en olen kanssa tänään",
        "äö",
    ),
    (
        "pl",
        "i w na z że się nie to jest do jak co ale za po tak czy o od już tylko przez dla ja ty on ona my są był była było może być mnie ci mi go jego jej ten ta bardzo tu jeszcze kiedy gdzie dlaczego dziś",
        "łąęśżźń",
    ),
    (
        "cs",
        "a v na je se že to s z do ale jak pro jsem jsi jsou není by co tak i už za o od po který která když nebo jen také být byl byla bylo mě mi ty já on ona my vy tady proč dnes",
        "řůěž",
    ),
    (
        "sk",
        "a v na je sa že to s z do ale ako pre som si sú nie by čo tak aj už za o od po ktorý ktorá keď alebo len tiež byť bol bola bolo ma mi ty ja on ona my vy tu prečo dnes",
        "ľĺŕôä",
    ),
    (
        "hu",
        "a az és hogy nem is egy ez van volt de meg csak már én te ő mi ti ők ha mint vagy még nagyon lesz kell majd most itt ott mert minden ki mit hogyan miért ma",
        "őű",
    ),
    (
        "ro",
        "și de la în nu pe cu că un o este sunt din care ce mai se pentru am ai a fost dar sau când cum foarte eu tu el ea noi voi lor mi te acest această fi va doar acum unde azi",
        "șțăî",
    ),
    (
        "tr",
        "ve bir bu da de için çok ne o ben sen biz siz var yok mi mı ama daha gibi kadar sonra olarak değil her şey en ile ki nasıl neden ya diye şimdi bana sana bugün",
        "ğış",
    ),
    (
        "az",
        "və bir bu da də üçün çox nə o mən sən biz siz var yox ki amma daha kimi sonra olaraq deyil hər şey ilə necə niyə indi mənə sənə olan bugün",
        "əğı",
    ),
    (
        "vi",
        "và là của có không được cho một các những người này đó với trong tôi bạn anh em chị thì mà đã đang sẽ rất nhiều như khi để từ ra đi về cũng nhưng nếu vì sao làm gì ai nào hôm",
        "đơưạảấầẩậắằẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    ),
    (
        "id",
        "yang dan di ini itu dengan untuk tidak ada dari ke saya kamu aku kita mereka dia akan bisa sudah juga atau karena pada adalah jika kalau tapi lagi apa bagaimana sangat banyak lebih orang hari harus belum jangan hanya sama seperti gak nggak udah aja",
        "",
    ),
    (
        "ms",
        "yang dan di ini itu dengan untuk tidak ada dari ke saya awak aku kita mereka dia akan boleh sudah juga atau kerana pada ialah jika kalau tetapi lagi apa bagaimana sangat banyak lebih orang hari mesti belum jangan hanya sama seperti tak dah sahaja nak",
        "",
    ),
    (
        "tl",
        "ang ng sa na mga ay at ko mo niya si ito siya hindi ako ikaw kami tayo sila para kung lang din rin may wala ba po naman kasi pero ano paano bakit talaga natin ngayon",
        "",
    ),
    (
        "hr",
        "i u je na se da su za od s sa ne to što kao ali ili iz do bi sam si smo ste koji koja koje nije bio bila bilo samo još već kad gdje zašto ja ti on ona mi vi danas",
        "đćčšž",
    ),
    (
        "sl",
        "in v je na se da so za od s z ne to kar kot ali iz do bi sem si smo ste ki ni bil bila bilo samo še že ko kje zakaj jaz ti on ona mi vi danes tudi",
        "čšž",
    ),
    (
        "lt",
        "ir yra kad su į iš ne tai kaip bet ar už nuo po jau dar tik aš tu jis ji mes jūs buvo gali labai kas ką kur kodėl šiandien",
        "ėųįąęū",
    ),
    (
        "lv",
        "un ir ka ar uz no ne tas kā bet vai par pie jau vēl tikai es tu viņš viņa mēs jūs bija var ļoti kas ko kur kāpēc šodien lai",
        "ļķņģāīū",
    ),
    (
        "et",
        "ja on ei et see ta mina sina me te nad aga kui nii nagu kes oli olla ka ainult või mida miks nüüd siis veel väga kõik minu sinu ole olen täna",
        "õäöü",
    ),
    (
        "ca",
        "el la els les de que i en un una per amb no és més però com al del són està molt també hi aquest aquesta tot quan on perquè què jo tu nosaltres fer ha estat des fins sense sobre ara sempre mai avui",
        "ç·",
    ),
    (
        "sw",
        "na ya wa kwa ni la za katika hii hiyo kuwa si mimi wewe yeye sisi wao lakini kama au pia sana bado kila watu leo hapa nini kwanini yangu yako",
        "",
    ),
];

/// Words by the set of languages that have them, a bit a row. Nobody from outside adds to it, so a
/// fast hash does.
static WORDS: LazyLock<HashMap<&'static str, u32, FixedState>> = LazyLock::new(|| {
    let words = ROWS
        .iter()
        .enumerate()
        .flat_map(|(row, (_, words, _))| words.split(' ').map(move |word| (word, row)));
    let mut table = HashMap::with_hasher(FixedState::default());
    for (word, row) in words {
        *table.entry(word).or_default() |= 1 << row;
    }
    table
});

/// The longest of them, in bytes.
static WORD_MAX: LazyLock<usize> =
    LazyLock::new(|| WORDS.keys().map(|word| word.len()).max().unwrap_or(0));

/// Letters by the set of languages that have them.
static LETTERS: Blocks<u32> = Blocks::new(|letter| {
    let rows = ROWS.iter().enumerate().filter(|(_, (.., letters))| letters.contains(letter));
    rows.fold(0, |set, (row, _)| set | 1 << row)
});

/// The outcome of a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Election {
    all: [u32; ROWS.len()],
    /// The code of the winner.
    pub(super) winner: &'static str,
    /// Its votes, in parts of [`VOTE`].
    pub(super) votes: u32,
    /// How many more these are than those of the second.
    pub(super) lead: u32,
}

impl Election {
    /// The votes of a language.
    pub(super) fn votes_of(&self, code: &str) -> u32 {
        ROWS.iter().position(|row| row.0 == code).map_or(0, |row| self.all[row])
    }
}

/// What the small words of a sample in lower case say; nothing when it has none.
pub(super) fn vote(sample: &str) -> Option<Election> {
    let mut all = [0_u32; ROWS.len()];
    for word in sample.split(' ').map(|word| word.trim_matches('\'')) {
        if word.len() <= *WORD_MAX {
            count(&mut all, WORDS.get(word).copied().unwrap_or(0), u32::MAX);
        }
    }
    if !sample.is_ascii() {
        let mut by_letters = [0; ROWS.len()];
        for letter in sample.chars().filter(|ch| !ch.is_ascii()) {
            count(&mut by_letters, *LETTERS.get(letter), LETTER_VOTES_MAX * VOTE);
        }
        all.iter_mut().zip(by_letters).for_each(|(votes, more)| *votes += more);
    }
    let (row, &votes) =
        all.iter().enumerate().max_by_key(|(row, votes)| (**votes, ROWS.len() - row))?;
    let others = all.iter().enumerate().filter(|(other, _)| *other != row);
    let lead = votes - others.map(|(_, votes)| *votes).max().unwrap_or(0);
    (votes > 0).then_some(Election { all, winner: ROWS[row].0, votes, lead })
}

/// Whether the table can vote for a language.
pub(super) fn knows(code: &str) -> bool {
    ROWS.iter().any(|row| row.0 == code)
}

fn count(votes: &mut [u32; ROWS.len()], mut languages: u32, most: u32) {
    let part = VOTE / languages.count_ones().clamp(1, VOTE);
    while languages != 0 {
        let row = &mut votes[languages.trailing_zeros() as usize];
        *row = row.saturating_add(part).min(most);
        languages &= languages - 1;
    }
}
