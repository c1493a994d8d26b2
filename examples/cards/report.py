"""A step that leaves a report: a text, a table, a chart, and how far it has come.

python report.py run
python report.py card view train
"""

from reflow import FlowSpec, Parameter, card, current, step
from reflow.cards import Markdown, ProgressBar, Table, VegaChart


class ReportFlow(FlowSpec):
    """Finds the bottom of a curve, and shows how."""

    rate = Parameter("rate", default=0.3)

    @step
    def start(self):
        """Where to begin."""
        self.x = 4.0
        self.next(self.train)

    @card
    @card(id="loss", type="blank", options={"title": "Loss by round"})
    @step
    def train(self):
        """Go down the slope."""
        bar = ProgressBar(max=10, label="Rounds")
        current.card.append(bar)
        losses = []
        for number in range(1, 11):
            self.x -= self.rate * self.x
            losses.append({"round": number, "loss": self.x**2})
            bar.update(number)
            current.card.refresh()  # shown from now on, while the step goes on
        chart = {
            "mark": {"type": "line", "point": True},
            "data": {"values": losses},
            "encoding": {
                "x": {"field": "round", "type": "quantitative"},
                "y": {"field": "loss", "type": "quantitative"},
            },
        }
        current.card.append(Markdown(f"# Ended at **{self.x:.3f}**"))
        current.card.append(
            Table([[one["round"], f"{one['loss']:.4f}"] for one in losses], ["Round", "Loss"])
        )
        current.card["loss"].append(VegaChart(chart))
        self.next(self.end)

    @step
    def end(self):
        """Say where."""
        print(f"x = {self.x:.3f}")


if __name__ == "__main__":
    ReportFlow()
