"""A provider's free text as one of a list of causes, in English, German and Danish."""

import pytest

from milepost.common.causes import (
    CAUSES,
    CREDIT_CHECK,
    CUSTOMER_REVOKED,
    NAMED_TO_CUSTOMER,
    QUOTABLE,
    cause_of,
    is_phrase,
    may_be_quoted,
)
from milepost.orders.details import Details, cause_in

EXAMPLES = {
    "credit_check": [
        "Zahlungsfähigkeit nicht gegeben",
        "Bonitätsprüfung nicht bestanden",
        "Credit check failed",
        "Insolvenzprüfung negativ",
        "Kunde ist insolvent",
        "SCHUFA-Eintrag",
        "Negative Bonität",
        "Kreditvurdering afvist",
        "Kunden er registreret i RKI",
        "customer is bankrupt",
        "Bonitaet unzureichend",
        "Insolvency check not passed",
        "Credit declined",
        "Adresse falsch; Bonität negativ",
        "Kunde unter Insolvenzverwaltung",
        "Konkurs",
        "Zahlungsunfähigkeit",
        "Poor credit",
        "Privatinsolvenz des Kunden",
        "Privatinsolvenz",
        "Credit score too low",
        "Kundens kreditværdighed er for lav",
        "Betalingsanmærkninger",
        "Bonitätsprüfung war nicht erfolgreich",
        "Negativer SCHUFA-Score",
        "Zahlungsausfallrisiko zu hoch",
        "Offene Forderungen aus Vorvertrag",
        "Negative Auskunft der Auskunftei",
        "affordability check failed",
        "Wirtschaftsauskunft negativ",
        "kreditcheck fejlede",
        "Schlechte Zahlungsmoral",
        "Eidesstattliche Versicherung",
        "Debt collection entry",
        "outstanding debt",
        "Mahnverfahren",
        "Inkasso",
    ],
    "invalid_address": [
        "Hausnummer fehlt",
        "Husnummer mangler",
        "Invalid address",
        "Address could not be found",
        "Incomplete address",
        "Adresse nicht gefunden",
        "Die angegebene Adresse ist ungültig",
        "Ungültige Lieferadresse",
        "Adressen findes ikke",
        "Forkert adresse",
        "Hausnummer existiert nicht",
        "Address does not exist",
        "Credit check passed, but the address is invalid",
        "Bonitätsprüfung bestanden, Adresse unbekannt",
        "PLZ passt nicht zum Ort",
        "Postcode is wrong",
        "Adressen er ikke korrekt",
        "Straße unbekannt",
    ],
    "customer_cancelled": [
        "Kunden fortrød",
        "Customer cancels",
        "Customer changed their mind",
        "Cancelled by the customer",
        "Kündigung durch den Kunden",
        "Widerruf des Kunden",
        "Kunde hat storniert",
        "Kunden har fortrudt",
        "Kunden har annulleret ordren",
        "Vom Kunden storniert",
        "Customer revoked",
        "Customer cancelled",
        "Annulleret af kunden",
        "Kunde ist vom Vertrag zurückgetreten",
        "withdrawn on the customer's request",
        "Stornierung auf Kundenwunsch",
        "Fortrydelsesret benyttet",
    ],
    "customer_unreachable": [
        "Customer not answering phone",
        "Customer can't be reached",
        "The customer couldn’t be contacted",
        "Unable to contact the customer",
        "No answer from customer",
        "Kunde nicht erreichbar",
        "Kunden kunne ikke træffes",
        "Kunde konnte nicht erreicht werden",
        "Kunden svarer ikke",
        "Kunde antwortet nicht",
        "Keine Rückmeldung vom Kunden",
        "Vi kunne ikke få fat i kunden",
        "Kein Kontakt zum Kunden möglich",
        "telefonnummer falsch",
    ],
    "customer_not_home": [
        "Customer not home",
        "Nobody was at home",
        "Missed appointment",
        "Niemand zu Hause",
        "Kunde nicht angetroffen",
        "Ingen hjemme",
        "Kunden var ikke hjemme",
        "Kunde war nicht zuhause",
        "Es war niemand da",
    ],
    "outside_service_area": [
        "Outside the service area",
        "Service not available at this address",
        "No coverage at premises",
        "Out of area",
        "Außerhalb des Netzgebiets",
        "Liegt außerhalb unseres Liefergebiets",
        "Uden for dækningsområdet",
        "Ingen dækning på adressen",
        "Adresse nicht versorgbar",
        "An dieser Adresse nicht verfügbar",
        "Ligger uden for forsyningsområdet",
        "Netzgebiet wird nicht beliefert",
        "Not served in this region",
    ],
    "missing_unit_number": [
        "Missing unit number",
        "Apartment number required",
        "The unit number is missing",
        "Wohnungsnummer fehlt",
        "Lejlighedsnummer mangler",
        "Fehlende Wohnungsnummer",
        "Mangler etage og dør",
        "Apartment no. missing",
    ],
    "meter_data": [
        "Måleren findes ikke",
        "Zählernummer unbekannt",
        "MaLo-ID nicht gefunden",
        "Falsche Zählernummer",
        "Ungültige Marktlokations-ID",
        "Meter number is wrong",
        "Målernummer ukendt",
        "Zählpunkt nicht identifizierbar",
        "Marktlokation nicht identifiziert",
        "Zählernummer stimmt nicht",
        "Forkert målernummer",
        "Zähler gehört zu anderer Adresse",
    ],
    "existing_contract": [
        "Kunde hat bereits Liefervertrag bei anderem Versorger",
        "Es besteht ein Vertrag mit einem anderen Anbieter",
        "Kunden har allerede en aftale hos en anden leverandør",
        "Bestehender Vertrag beim Vorversorger",
        "Kunde ist noch gebunden: Vertragsbindung bis 2027",
        "Existing contract with another supplier",
        "Kunden har bindingsperiode hos nuværende leverandør",
        "Vorversorger hat widersprochen",
        "Vertragslaufzeit beim Altlieferanten",
    ],
    "equipment_not_available": [
        "Måler ikke på lager",
        "Meter not available",
        "Modem out of stock",
        "Gerät nicht lieferbar",
        "Udstyr ikke på lager",
        "Equipment not available",
        "Router ausverkauft",
        "Wallbox nicht verfügbar",
        "Ladeboks udsolgt",
        "Charge box is sold out",
    ],
    "installation_complications": [
        "Installation complications",
        "Conduit blocked",
        "Leerrohr fehlt",
        "Earthing rod is missing",
        "Zählerschrank entspricht nicht der Norm",
        "Eltavle skal udskiftes",
        "Montage nicht möglich",
        "Hausanschluss fehlt",
        "Inspection failed: no main switch",
    ],
    "service_interruption": [
        "Network fault",
        "Netzstörung",
        "Störung im Netz",
        "Driftsforstyrrelse",
        "Planned outage",
        "Strømafbrydelse",
    ],
    "other": [
        "-",
        "Ordered twice",
        "It rained.",
        "Woodstock Road",
        "Credit card expired",
        "Kreditkarte abgelaufen",
        "Accredited check missing",
        "Doppelte Bestellung",
        "Discredited",
    ],
}


@pytest.mark.parametrize(
    ("reason", "cause"),
    [(reason, cause) for cause, reasons in EXAMPLES.items() for reason in reasons],
)
@pytest.mark.parametrize("write", [str, str.upper, str.lower], ids=["as is", "upper", "lower"])
def test_a_reason_names_its_cause_however_it_is_written(
    reason: str, cause: str, write: type[str]
) -> None:
    assert cause_of(write(reason)) == cause


def test_every_cause_has_an_example() -> None:
    # No words say a revocation: it is a status of its own.
    assert EXAMPLES.keys() == set(CAUSES) - {CUSTOMER_REVOKED}


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_without_a_reason_there_is_no_cause(reason: str | None) -> None:
    assert cause_of(reason) is None


def test_letters_of_another_form_are_the_same_letters() -> None:
    assert cause_of("Bonita\u0308tspru\u0308fung negativ") == CREDIT_CHECK
    assert cause_of("Ｃｒｅｄｉｔ  check\nfailed") == CREDIT_CHECK


@pytest.mark.parametrize(
    "part", ["customer unit address ", "kunde ", "storn", "ort", "a", "strasse"]
)
def test_a_very_long_reason_is_read(part: str) -> None:
    assert cause_of(part * 50_000) == "other"


def test_a_connections_phrases_go_before_ours() -> None:
    patterns = {
        CREDIT_CHECK: ("KO-Kriterium 7",),
        "existing_contract": ("lock-in * Lieferant",),
        "other": ("Installation abgelehnt",),
    }
    assert cause_of("Abgelehnt: ko-kriterium 7", patterns) == CREDIT_CHECK
    assert cause_of("Lock-In bei anderem Lieferanten", patterns) == "existing_contract"
    assert cause_of("Lieferant: lock-in", patterns) == "other"
    assert cause_of("Installation abgelehnt", patterns) == "other"
    assert cause_of("Kunde nicht erreichbar", patterns) == "customer_unreachable"


@pytest.mark.parametrize("text", ["", "*", "* *", "two\nlines", "x" * 201])
def test_a_phrase_has_words_in_it(text: str) -> None:
    assert not is_phrase(text)


def test_what_earlier_versions_stored_is_recognised_by_its_reason() -> None:
    assert cause_in(Details(reason="Bonitätsprüfung negativ")) == CREDIT_CHECK
    assert cause_in(Details(reason="Bonitätsprüfung negativ", cause="other")) == CREDIT_CHECK
    assert cause_in(Details(reason="Bonitätsprüfung negativ", cause="meter_data")) == "meter_data"
    assert cause_in(Details(cause="other")) == "other"
    assert cause_in(Details()) is None


def test_what_a_customer_may_read_is_a_list() -> None:
    assert QUOTABLE < NAMED_TO_CUSTOMER < set(CAUSES)
    assert not {CREDIT_CHECK, "other"} & NAMED_TO_CUSTOMER
    assert not may_be_quoted("Next: deposit needed, credit check failed")
    assert may_be_quoted("The technician rings 30 minutes ahead")
