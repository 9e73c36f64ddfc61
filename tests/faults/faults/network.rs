//! Faults of the network between worker and broker, made by a small proxy.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::lab::Lab;
use crate::support::kafka::Kafka;

/// How long a pump waits for bytes before it looks at its orders.
const LOOK: Duration = Duration::from_millis(20);

/// What the proxy does with all of its connections.
#[derive(Default)]
struct Orders {
    /// Nothing is passed on, and nobody is told.
    stalled: AtomicBool,
    /// Connections older than this number of resets are cut.
    resets: AtomicUsize,
    /// Where connections go to.
    target: AtomicUsize,
}

/// A Kafka that is reached through a proxy, and the proxy's orders.
fn behind_proxy(lab: &mut Lab) -> Arc<Orders> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let orders = Arc::new(Orders::default());
    let accepting = Arc::clone(&orders);
    thread::spawn(move || accept(&listener, &accepting));
    // Its clients are sent through the proxy from their first answer on.
    let kafka = Kafka::start_behind(port);
    let target = kafka.address().rsplit(':').next().and_then(|port| port.parse().ok());
    orders.target.store(target.expect("an address ends with a port"), Ordering::Release);
    lab.move_to(kafka);
    orders
}

/// Answers stop coming for a while, on open connections; then all of them are reset.
pub(crate) fn half_open(lab: &mut Lab) {
    let orders = behind_proxy(lab);
    let count = lab.load(2_000);
    lab.produce(count);
    let mut worker = lab.worker_with(|command| {
        command.env("TIDEGATE__KAFKA__LIBRDKAFKA__SOCKET.TIMEOUT.MS", "1000");
    });
    lab.wait_outputs(&mut worker, count / 10);
    for _ in 0..3 {
        // Behind a stall the session may be over, and what was not committed comes again.
        lab.allow_lost_session();
        orders.stalled.store(true, Ordering::Release);
        thread::sleep(Duration::from_millis(2_500));
        orders.resets.fetch_add(1, Ordering::AcqRel);
        orders.stalled.store(false, Ordering::Release);
        thread::sleep(Duration::from_millis(700));
        lab.produce(count / 4);
    }
    lab.finish([worker]);
}

/// Passes on whatever connects, until the process ends.
fn accept(listener: &TcpListener, orders: &Arc<Orders>) {
    for client in listener.incoming() {
        let port = u16::try_from(orders.target.load(Ordering::Acquire)).expect("it is a port");
        let (Ok(client), Ok(broker)) = (client, TcpStream::connect(("127.0.0.1", port))) else {
            continue;
        };
        let born = orders.resets.load(Ordering::Acquire);
        for (from, to) in [(&client, &broker), (&broker, &client)] {
            let copies = (from.try_clone(), to.try_clone(), Arc::clone(orders));
            if let (Ok(from), Ok(to), orders) = copies {
                thread::spawn(move || pump(from, to, &orders, born));
            }
        }
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, orders: &Orders, born: usize) {
    let mut buffer = vec![0; 64 << 10];
    if from.set_read_timeout(Some(LOOK)).is_err() {
        return;
    }
    while orders.resets.load(Ordering::Acquire) == born {
        if orders.stalled.load(Ordering::Acquire) {
            thread::sleep(LOOK);
            continue;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if to.write_all(&buffer[..count]).is_err() => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    // Either side may be gone already, which is as wanted.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
