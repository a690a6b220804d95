"""Shows on a campaign's page what its answers have brought; voting itself knows no merge."""

from typing import Any, Final

from django import template
from django.utils.translation import gettext_lazy as _

from protozoo.consensus.cost_curve import calibration_chart, cost_curve, cost_curve_chart
from protozoo.consensus.models import SplitProposal
from protozoo.voting.models import Campaign, Item
from protozoo.voting.selectors import items_without_consensus

register = template.Library()

NAMES: Final = {
    Item.Kind.PROTOTYPE.value: _("Prototypes"),
    Item.Kind.GRID.value: _("Grids of members"),
    Item.Kind.SUBJECT.value: _("Doubtful sources"),
    Item.Kind.OUTLIER.value: _("Outliers"),
    Item.Kind.AUDIT.value: _("Random checks"),
    Item.Kind.GOLD.value: _("Sources that experts know"),
}


@register.inclusion_tag("consensus/ledger.html")
def campaign_ledger(campaign: Campaign) -> dict[str, Any]:
    """Tell what the newest merge of a campaign has cost and how good it is."""
    run = campaign.consensus_runs.first()
    if run is None or not run.ledger:
        return {"run": None}
    kinds = run.ledger["kinds"]
    return {
        "run": run,
        "ledger": run.ledger,
        "kind_rows": [
            {"name": name, **kinds[kind]} for kind, name in NAMES.items() if kind in kinds
        ],
        "cost_chart": cost_curve_chart(cost_curve(run)),
        "calibration_chart": calibration_chart(run.calibration.get("report")),
        "n_undecided": items_without_consensus(campaign).count(),
        "n_splits": campaign.splits.filter(state=SplitProposal.State.PROPOSED).count(),
        "campaign": campaign,
    }
