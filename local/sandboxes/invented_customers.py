"""Invented customers with realistic addresses and numbers, all at example domains."""

import random
import string
import unicodedata
from typing import Final

from local.sandboxes.json_format import Json

AUSTRALIANS: Final = (
    ("Charlotte", "Nguyen"), ("Oliver", "Bennett"), ("Amelia", "Kaur"), ("Jack", "Murphy"),
    ("Isla", "Papadopoulos"), ("Noah", "Williams"), ("Mia", "Rossi"), ("Lachlan", "Campbell"),
    ("Zoe", "Chen"), ("Henry", "O'Brien"), ("Grace", "Patel"), ("Thomas", "Walker"),
)  # fmt: skip
AUSTRALIAN_PLACES: Final = (
    ("Lygon Street", "Carlton", "Melbourne", "VIC", "3053"),
    ("Crown Street", "Surry Hills", "Sydney", "NSW", "2010"),
    ("Boundary Street", "West End", "Brisbane", "QLD", "4101"),
    ("Rundle Street", "Kent Town", "Adelaide", "SA", "5067"),
    ("Beaufort Street", "Mount Lawley", "Perth", "WA", "6050"),
    ("Elizabeth Street", "North Hobart", "Hobart", "TAS", "7000"),
)
GERMANS: Final = (
    ("Lena", "Hoffmann"), ("Jonas", "Müller"), ("Mia", "Schäfer"), ("Paul", "Weiß"),
    ("Emma", "Köhler"), ("Felix", "Neumann"), ("Hanna", "Öztürk"), ("Lukas", "Brandt"),
    ("Sophie", "Krüger"), ("Maximilian", "von Stetten"),
)  # fmt: skip
GERMAN_PLACES: Final = (
    ("Lindenstraße", "10969", "Berlin"), ("Sternwartstraße", "40223", "Düsseldorf"),
    ("Kaiserallee", "76185", "Karlsruhe"), ("Bahnhofstraße", "24937", "Flensburg"),
    ("Schillerplatz", "70173", "Stuttgart"), ("Am Wall", "28195", "Bremen"),
)  # fmt: skip
GHANAIANS: Final = (
    ("Ama", "Boateng"), ("Kwame", "Mensah"), ("Efua", "Asante"), ("Yaw", "Owusu"),
    ("Akosua", "Darko"), ("Kojo", "Appiah"), ("Abena", "Osei"), ("Kofi", "Agyeman"),
)  # fmt: skip
GHANAIAN_PLACES: Final = (
    ("Ring Road East", "Accra", "Greater Accra", "GA-107-4412"),
    ("Oxford Street", "Accra", "Greater Accra", "GA-032-8106"),
    ("Harper Road", "Kumasi", "Ashanti", "AK-039-5028"),
    ("Liberation Road", "Takoradi", "Western", "WS-402-1190"),
)
DANES: Final = (
    ("Freja", "Lindholm"), ("Emil", "Sørensen"), ("Ida", "Kjær"), ("Oscar", "Holm"),
    ("Karla", "Østergaard"), ("Malthe", "Bach"), ("Alma", "Nørgaard"), ("Victor", "Friis"),
)  # fmt: skip
DANISH_PLACES: Final = (
    ("Vesterbrogade", "København", "1620"), ("Jægergårdsgade", "Aarhus", "8000"),
    ("Vestergade", "Odense", "5000"), ("Boulevarden", "Aalborg", "9000"),
)  # fmt: skip


def make_email(first: str, last: str, *, domain: str, number: int) -> str:
    """A simple address at ``domain``, unique to each order."""
    text = unicodedata.normalize("NFKD", f"{first}.{last}".lower().replace("ß", "ss"))
    plain = "".join(c for c in text if c in string.ascii_lowercase + ".")
    return f"{plain}.{number}@{domain}"


def make_malo(rng: random.Random) -> str:
    """A MaLo number with its correct check digit (BDEW: odd places once, even places twice)."""
    digits = [rng.randint(1, 9)] + [rng.randint(0, 9) for _ in range(9)]
    total = sum(digits[0::2]) + 2 * sum(digits[1::2])
    return "".join(map(str, digits)) + str((10 - total % 10) % 10)


def make_melo(rng: random.Random) -> str:
    """A MeLo number: DE, 11 digits, 20 digits or capitals."""
    head = "".join(rng.choices(string.digits, k=11))
    return f"DE{head}" + "".join(rng.choices(string.digits + string.ascii_uppercase, k=20))


def make_australian(rng: random.Random, number: int) -> tuple[Json, Json]:
    """An Offergrid customer and an address."""
    first, last = rng.choice(AUSTRALIANS)
    street, suburb, city, state, postcode = rng.choice(AUSTRALIAN_PLACES)
    customer = {
        "firstName": first,
        "lastName": last,
        "email": make_email(first, last, domain="example.com", number=number),
        "phone": f"+61 491 570 {rng.randint(100, 999)}",
    }
    address = {
        "street": f"{rng.randint(1, 240)} {street}",
        "unitNumber": rng.choice((None, None, "4B", "12", "Unit 3")),
        "suburb": suburb,
        "city": city,
        "state": state,
        "postcode": postcode,
        "country": "AU",
    }
    return customer, address


def make_german_address(rng: random.Random) -> Json:
    street, postcode, city = rng.choice(GERMAN_PLACES)
    return {
        "street": street,
        "houseNumber": f"{rng.randint(1, 120)}{rng.choice(('', '', 'a'))}",
        "addressAddition": rng.choice((None, None, "Hinterhaus", "2. OG links")),
        "postcode": postcode,
        "city": city,
        "country": "DE",
    }


def make_ghanaian(rng: random.Random, number: int) -> tuple[Json, Json]:
    """A SUBS customer and an address."""
    first, last = rng.choice(GHANAIANS)
    street, city, region, postcode = rng.choice(GHANAIAN_PLACES)
    email = make_email(first, last, domain="example.com", number=number)
    phone = f"+233 24 555 {rng.randint(0, 9999):04d}"
    address = {
        "street": f"{rng.randint(1, 90)} {street}",
        "unit": rng.choice((None, "Block C", "Flat 2")),
        "city": city,
        "region": region,
        "postcode": postcode,
        "country": "GH",
    }
    return {"name": f"{first} {last}", "email": email, "phone": phone}, address


def make_dane(rng: random.Random, number: int) -> tuple[Json, Json]:
    """A Spirii customer and an address."""
    first, last = rng.choice(DANES)
    street, city, postcode = rng.choice(DANISH_PLACES)
    email = make_email(first, last, domain="example.dk", number=number)
    phone = f"+45 20 55 {rng.randint(10, 99)} {rng.randint(10, 99)}"
    address = {
        "street": f"{street} {rng.randint(1, 140)}",
        "unit": rng.choice((None, "2. tv", "st. th")),
        "city": city,
        "postcode": postcode,
        "country": "DK",
    }
    return {"name": f"{first} {last}", "email": email, "phone": phone}, address
