"""Write the sample that ships in ``examples/data``: a year of a small shop, a forum, and some profiles.

All of it is invented, and the same each time: customers are numbers, goods are codes. Run it with
``python -m examples.make_orders [FOLDER]``.
"""

import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from attrs import evolve, frozen

SEED = 20260601
FOLDER = Path(__file__).parent / "data"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
CUSTOMERS = tuple(str(number) for number in range(20_001, 20_121))
GOODS = 150
INVOICES = 400
START = datetime(2025, 6, 1, 9, tzinfo=UTC)
DAYS = 360


@frozen
class Line:
    """One order line, in the order of `COLUMNS`."""

    number: str
    code: str
    description: str
    quantity: int
    at: datetime
    price: str
    customer: str
    country: str = "United Kingdom"

    def cells(self) -> tuple[str, ...]:
        """As the file has it."""
        at = f"{self.at:%Y-%m-%d %H:%M:%S}"
        return (
            self.number,
            self.code,
            self.description,
            str(self.quantity),
            at,
            self.price,
            self.customer,
            self.country,
        )


def main() -> None:
    """Write all three files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (
        ("orders.csv", [COLUMNS, *(line.cells() for line in orders(Random(SEED)))]),  # noqa: S311 - a sample
        ("profiles.csv", [("profile", "relevance"), *profiles(Random(SEED + 1))]),  # noqa: S311 - a sample
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lines)
    events = [json.dumps(event) + "\n" for event in posts(Random(SEED + 2))]  # noqa: S311 - a sample
    (folder / "posts.jsonl").write_text("".join(events), encoding="utf-8", newline="\n")


def orders(random: Random) -> list[Line]:
    """Invoices of one to nine lines, and some that take goods back; by date."""
    prices = [f"{random.randint(25, 2495) / 100:.2f}" for _ in range(GOODS)]
    # Some customers come often and most seldom, as they do.
    keen = [random.random() ** 3 for _ in CUSTOMERS]
    placed: list[list[Line]] = []
    for place in range(INVOICES):
        at = START + timedelta(days=DAYS * place / INVOICES, minutes=random.randint(0, 480))
        customer = "" if random.random() < 0.1 else random.choices(CUSTOMERS, keen)[0]
        lines = [
            _line(random, str(700_001 + place), at, customer, prices) for _ in range(random.randint(1, 9))
        ]
        placed.append(lines)
        if random.random() < 0.08:
            placed.append(list(_returned(random, lines)))
    return sorted((line for lines in placed for line in lines), key=lambda line: line.at)


def _line(random: Random, number: str, at: datetime, customer: str, prices: list[str]) -> Line:
    goods = random.randrange(GOODS)
    price = "0.00" if random.random() < 0.01 else prices[goods]
    return Line(
        number, f"G{goods:04}", f"GOODS {goods:04}", random.choice((1, 1, 2, 3, 6, 12)), at, price, customer
    )


def _returned(random: Random, lines: list[Line]) -> Iterator[Line]:
    """Some of an order's lines, a few days later, with the quantity taken back."""
    later = timedelta(days=random.randint(1, 5))
    for line in random.sample(lines, random.randint(1, len(lines))):
        yield evolve(line, number=f"C{line.number}", quantity=-line.quantity, at=line.at + later)


def profiles(random: Random) -> Iterator[tuple[str, str]]:
    """A third of the customers are members of Baihe as well; how well each fits the one who looks."""
    for member in random.sample(CUSTOMERS, len(CUSTOMERS) // 3):
        yield member, f"{random.uniform(0.2, 0.95):.2f}"


def posts(random: Random) -> Iterator[dict[str, str | int]]:
    """What became of posts. Most were found helpful; some is kept back, each for a reason of its own."""
    for number in range(1, 181):
        author = random.choice(CUSTOMERS)
        at = START + timedelta(days=2 * number, minutes=random.randint(0, 480))
        event = {"post": f"p{number}", "author": author, "at": at.isoformat().replace("+00:00", "Z")}
        chance = random.random()
        if chance < 0.86:
            yield {**event, "event": "helpful", "by": random.randint(1, 12)}
        elif chance < 0.90:
            yield {**event, "event": "abuse_confirmed", "by": f"mod-{random.randint(1, 3)}"}
        elif chance < 0.95:
            yield {**event, "event": "abuse_reported", "by": random.randint(1, 4)}
        else:
            yield {**event, "event": "helpful", "by": author}


if __name__ == "__main__":
    main()
