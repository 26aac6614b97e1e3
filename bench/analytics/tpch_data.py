#!/usr/bin/env python3
"""tpch_data.py SCALE DIRECTORY: writes CSV files of TPC-H's shape (not its text grammar): same tables, keys, row counts
per scale and value ranges. Scale 1 is 6,000,000 rows of lineitem. The same seed every time."""
import datetime
import os
import random
import sys

REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = ["ALGERIA", "ARGENTINA", "BRAZIL", "CANADA", "EGYPT", "ETHIOPIA", "FRANCE", "GERMANY", "INDIA", "INDONESIA",
           "IRAN", "IRAQ", "JAPAN", "JORDAN", "KENYA", "MOROCCO", "MOZAMBIQUE", "PERU", "CHINA", "ROMANIA",
           "SAUDI ARABIA", "VIETNAM", "RUSSIA", "UNITED KINGDOM", "UNITED STATES"]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
COLORS = ["almond", "azure", "beige", "black", "blue", "brown", "coral", "cream", "green", "grey", "ivory", "red"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
TYPES = [f"{a} {b} {c}" for a in ("STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO")
         for b in ("ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED")
         for c in ("TIN", "NICKEL", "BRASS", "STEEL", "COPPER")]
START = datetime.date(1992, 1, 1)
DAYS = [(START + datetime.timedelta(days=i)).isoformat() for i in range(2600)]


def main():
    scale = float(sys.argv[1])
    directory = sys.argv[2]
    rng = random.Random(7)
    suppliers, customers, parts, orders = (max(1, int(n * scale)) for n in (10000, 150000, 200000, 1500000))

    def write(table, rows):
        with open(os.path.join(directory, table + ".csv"), "w", encoding="utf-8") as file:
            file.writelines(rows)

    write("region", (f"{i},{name}\n" for i, name in enumerate(REGIONS)))
    write("nation", (f"{i},{name},{i % 5}\n" for i, name in enumerate(NATIONS)))
    write("supplier", (f"{i},Supplier#{i:09d},{rng.randrange(25)},{rng.randrange(-99999, 999999) / 100}\n"
                       for i in range(1, suppliers + 1)))
    write("customer", (f"{i},Customer#{i:09d},{rng.randrange(25)},{rng.choice(SEGMENTS)},"
                       f"{rng.randrange(-99999, 999999) / 100}\n" for i in range(1, customers + 1)))
    write("part", (f"{i},{rng.choice(COLORS)} {rng.choice(COLORS)},Brand#{rng.randrange(1, 6)}{rng.randrange(1, 6)},"
                   f"{rng.choice(TYPES)},{rng.randrange(1, 51)},{(90000 + i % 20001) / 100}\n"
                   for i in range(1, parts + 1)))

    def supplier_of(part, i):
        return (part + i * (suppliers // 4 + (part - 1) // suppliers)) % suppliers + 1

    seen = set()

    def partsupp():
        for part in range(1, parts + 1):
            for i in range(4):
                supplier = supplier_of(part, i)
                if (part, supplier) not in seen:
                    seen.add((part, supplier))
                    yield f"{part},{supplier},{rng.randrange(1, 10000)},{rng.randrange(100, 100000) / 100}\n"

    write("partsupp", partsupp())
    with open(os.path.join(directory, "orders.csv"), "w", encoding="utf-8") as order_file, \
            open(os.path.join(directory, "lineitem.csv"), "w", encoding="utf-8") as line_file:
        for order in range(1, orders + 1):
            day = rng.randrange(2400)
            total = 0.0
            for line in range(1, rng.randrange(1, 8) + 1):
                part = rng.randrange(1, parts + 1)
                supplier = supplier_of(part, rng.randrange(4))
                quantity = rng.randrange(1, 51)
                price = round(quantity * (900 + part % 20001 / 100), 2)
                discount, tax = rng.randrange(11) / 100, rng.randrange(9) / 100
                ship = day + rng.randrange(1, 122)
                commit = day + rng.randrange(30, 91)
                receipt = ship + rng.randrange(1, 31)
                flag = ("R" if rng.random() < 0.5 else "A") if receipt < 1263 else "N"
                status = "O" if ship > 1263 else "F"
                total += price
                line_file.write(f"{order},{line},{part},{supplier},{quantity},{price},{discount},{tax},{flag},{status},"
                                f"{DAYS[ship]},{DAYS[commit]},{DAYS[receipt]},{rng.choice(MODES)}\n")
            order_file.write(f"{order},{rng.randrange(1, customers + 1)},{'OFP'[rng.randrange(3)]},{total:.2f},"
                             f"{DAYS[day]},{rng.randrange(1, 6)}-PRIO\n")


if __name__ == "__main__":
    main()
