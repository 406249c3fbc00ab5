"""What quantising did to a model: noise by layer, and how often the answer stays the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

_GOOD, _FAIR = 30.0, 20.0  # dB: from here on a layer's noise is rarely what costs accuracy


@dataclass(frozen=True)
class LayerNoise:
    """One quantised blob: `sqnr_db` is 10 log10(sum of squares of the float32 values / that of the
    differences) over the calibration set, None where there is no difference.
    """

    layer: str
    blob: str
    sqnr_db: float | None


@dataclass(frozen=True)
class QuantisationReport:
    """`agreement`: for each output the share of calibration inputs for which both models have the same
    argmax. `float_layers`: layers that still compute in float32.
    """

    samples: int
    layers: list[LayerNoise] = field(default_factory=list)
    agreement: dict[str, float] = field(default_factory=dict)
    float_layers: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "samples": self.samples,
            "layers": [{"layer": n.layer, "blob": n.blob, "sqnr_db": n.sqnr_db} for n in self.layers],
            "agreement": dict(self.agreement),
            "float_layers": list(self.float_layers),
        }

    def table(self) -> Table:
        """For a terminal."""
        agreed = ", ".join(f"{name} {100 * share:.1f} %" for name, share in self.agreement.items())
        caption = f"{self.samples} calibration inputs; same answer as in float32: {agreed}"
        if self.float_layers:
            caption += f"\nstill in float32: {', '.join(self.float_layers)}"
        table = Table(
            title="Noise from quantisation, layer by layer",
            caption=_plain(caption),
            title_justify="left",
            caption_justify="left",
        )
        table.add_column("layer")
        table.add_column("blob")
        table.add_column("signal / noise", justify="right")
        for noise in self.layers:
            if noise.sqnr_db is None:
                text = "exact"
            else:
                style = "green" if noise.sqnr_db >= _GOOD else "yellow" if noise.sqnr_db >= _FAIR else "red"
                text = f"[{style}]{noise.sqnr_db:.1f} dB[/]"
            table.add_row(_plain(noise.layer), _plain(noise.blob), text)
        return table


def _plain(text: str) -> str:
    """Text that may hold square brackets, shown as it is."""
    return text.replace("[", "\\[")
