"""How a model's `model.yaml` is written."""

import yaml


def write(folder, head, manifest):
    """Writes the manifest below `head`, its comment."""
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
    (folder / "model.yaml").write_text(head + text)
