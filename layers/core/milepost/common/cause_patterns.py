"""Patterns that find a cause in a provider's free text, in English, German and Danish.

Patterns are searched in a text in the form of ``plain_words``: lower case, ASCII, with ``ae``,
``oe``, ``ue``, ``ss`` and ``aa`` for ä/æ, ö/ø, ü, ß and å, and with single spaces. Repetitions are
bounded, so that no text makes a search slow. ``ADDRESS`` and ``CUSTOMER`` are replaced by words
below.

Sources: Offergrid's reseller documentation, "common issues"; RABOT's lifecycle guide, in which an
order is rejected after an insolvency check, or for data that the grid operator doesn't know.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

_MARKS: Final = {"’": "'", "‘": "'", "´": "'", "`": "'", "‐": "-", "‑": "-", "–": "-", "—": "-"}
_LETTERS: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "ø": "oe", "å": "aa"}
_WRITTEN_OUT: Final = str.maketrans(_LETTERS | _MARKS)
_WORDS: Final = {
    "ADDRESS": r"(?:ad{1,2}ress[a-z]{0,3}|anschrift|hausnummer|strasse|\bort\b|\bplz"
    r"|postleitzahl|postcode|street(?: number)?|house number|husnummer|postnummer|gadenavn)",
    "CUSTOMER": r"(?:customer|client|resident|kunde|kunden|kundin)",
}
_PASSED: Final = r"\b(?:passed|successful|ok|fine|bestanden|positiv|erfolgreich|godkendt)\b"

_PATTERNS: Final[Mapping[str, tuple[str, ...]]] = {
    # First, since a text that names it and something else must never be quoted to a customer.
    "credit_check": (
        r"credit.?(?:check|worth|rating|score|history|report|assessment|bureau|risk)",
        r"credit (?:declined|refused|denied|not (?:approved|ok|sufficient))",
        r"(?:poor|bad|insufficient|negative|declined|failed|low) credit(?! card)",
        r"insolven|bankrupt|solvency|affordability|\bdebts?\b|debt collect|\barrears\b",
        r"bonitaet|schufa|creditreform|auskunftei|wirtschaftsauskunft|konkurs",
        r"kredit(?:wuerdig|pruef|check)|negativmerkmal|schuldnerverzeichnis|zahlungsunfaehig",
        r"zahlungs(?:faehig|historie|moral|ausfall|schwierigkeit|verhalten)|eidesstattliche",
        r"\b(?:offene|ausstehende)[rn]? (?:forderung|rechnung|posten)|\binkasso|mahnverfahren",
        r"verschuldung|ueberschuldet|verschuldet|\bschulden\b",
        r"kredit(?:vurder|oplysning|tjek|vaerdig)|\bribers\b|\brki\b|betalingsanmaerkning",
        r"\b(?:ubetalte?|udestaaende) (?:regning|gaeld)|\bgaeld\b|\brestance",
    ),
    "missing_unit_number": (
        r"\b(?:unit|apartment|flat)\b.{0,20}\b(?:number|missing|required)\b",
        r"\bmissing\b.{0,20}\b(?:unit|apartment|flat)\b",
        r"\bwohnungs(?:nummer|nr)|\bwohneinheit\b.{0,20}\bfehlt|\bfehlende\b.{0,20}\bwohneinheit",
        r"\blejligheds?(?:nummer|nr)|\bmangle(?:r|nde)\b.{0,20}\b(?:lejlighed|etage|doernr)",
    ),
    "meter_data": (
        r"\b(?:invalid|wrong|incorrect|unknown|missing)\b.{0,20}\bmeter (?:number|point|id)",
        r"\bmeter (?:number|point|id)\b.{0,40}\b(?:invalid|wrong|incorrect|unknown|not|missing)\b",
        r"\b(?:malo|melo)\b.{0,40}\b(?:invalid|wrong|incorrect|unknown|not|missing|nicht|falsch)",
        r"\b(?:malo|melo|zaehler|marktlokation|messlokation).{0,30}\b(?:unbekannt|ungueltig"
        r"|falsch)",
        r"\b(?:zaehler(?:nummer|nr|punkt)?|zaehlpunkt|marktlokation"
        r"|messlokation)\b.{0,20}\bnicht\b",
        r"\b(?:falsche|ungueltige|unbekannte|fehlende|invalid|wrong|unknown|missing)\w? "
        r"(?:zaehler|malo|melo|marktlokation|messlokation)",
        r"\b(?:stimmt nicht|fehlt)\b.{0,20}\bzaehler|\bzaehler(?:nummer)?\b.{0,20}\bfehlt",
        r"\bzaehler gehoert",
        r"nicht identifizier|identifikation (?:nicht|fehlgeschlagen)",
        r"\bmaaler(?:nummer|punkt|id)\b.{0,30}\b(?:ukendt|ugyldig|forkert|ikke|mangler)",
        r"\b(?:ukendt|ugyldigt?|forkert|manglende) maaler",
        r"\bmaaler(?:en)?\b.{0,20}\b(?:findes ikke|ikke fundet|ukendt|forkert)",
    ),
    "existing_contract": (
        r"\b(?:existing|active|other) (?:supply )?contract\b|\bunder contract\b",
        r"\bcontract with (?:another|the previous|the current) supplier\b|\bprevious supplier\b",
        r"\b(?:bestehende|laufende|anderweitige)[rn]? (?:liefer|strom)?vertrag",
        r"\bvertragsbindung|\bvertragslaufzeit|\b(?:vor|alt)(?:versorger|lieferant)",
        r"\b(?:bereits|schon) (?:beliefert|unter vertrag)\b",
        r"\b(?:bereits|schon|noch) (?:einen? )?(?:liefer|strom|gas)?vertrag\b",
        r"vertrag (?:bei|mit) (?:einem )?anderen? (?:anbieter|versorger|lieferant)",
        r"vertrag (?:bei|mit) (?:einem )?anderem (?:anbieter|versorger|lieferant)",
        r"\b(?:aftale|kontrakt) (?:hos|med) (?:en )?anden",
        r"\bbindingsperiode|\bnuvaerende leverandoer",
        r"\b(?:eksisterende|loebende) (?:aftale|kontrakt)",
    ),
    "outside_service_area": (
        r"outside.{0,20}area|out of (?:service )?area|no coverage|not (?:served|covered)\b",
        r"not (?:available|serviced|serviceable).{0,20}(?:address|area|location)",
        r"ausserhalb.{0,30}(?:gebiet|netz|bereich)|nicht im [a-z]{0,20}(?:gebiet|netz)\b",
        r"(?:adresse|standort|anschrift|dort|gebiet).{0,20}nicht (?:verfuegbar|belief|versorg)",
        r"nicht (?:verfuegbar|belief|versorg).{0,30}(?:adresse|standort|anschrift)",
        r"keine? (?:netz)?abdeckung",
        r"uden ?for.{0,30}omraade|ingen daekning",
        r"ikke (?:leveres|tilgaengelig|daekket).{0,20}(?:adress|omraade)",
        r"(?:leveres|tilgaengelig) ikke.{0,20}adress",
    ),
    "invalid_address": (
        r"(?:invalid|incorrect|wrong|incomplete|unknown).{0,20}\b(?:address|postcode)",
        r"\bADDRESS.{0,30}(?:invalid|incorrect|wrong|incomplete|not found|could not be found)",
        r"\bADDRESS (?:does not|doesn't) exist",
        r"(?:falsche|ungueltige|unvollstaendige|unbekannte|fehlerhafte)\w? (?:liefer)?ADDRESS",
        r"ADDRESS.{0,30}(?:falsch|ungueltig|unvollstaendig|unbekannt|fehlerhaft|(?:stimm|pass"
        r"|existier)t nicht)",
        r"ADDRESS.{0,30}nicht (?:gefunden|korrekt|richtig|gueltig|auffindbar|vorhanden|zuordenbar)",
        r"ADDRESS.{0,20}\b(?:fehlt|fehlen|mangler|missing)\b",
        r"(?:forkert|ugyldig|ukendt|ufuldstaendig)\w? ADDRESS",
        r"ADDRESS.{0,20}(?:forkert|ugyldig|ukendt|ufuldstaendig|findes ikke|ikke (?:fundet"
        r"|korrekt|gyldig))",
    ),
    "customer_not_home": (
        r"not (?:at )?home|no ?(?:one|body) (?:was )?(?:at )?home|missed appointment",
        r"no access to (?:the )?(?:property|premises)",
        r"(?:nicht|niemand)\b.{0,20}(?:zu ?hause|daheim|angetroffen|vor ort|\bda\b)|kein zugang",
        r"termin (?:vom kunden )?(?:versaeumt|verpasst|nicht wahrgenommen)",
        r"(?:ikke|ingen)\b.{0,15} hjemme|ingen adgang|udeblev",
    ),
    "customer_unreachable": (
        r"(?:could|can)(?: ?not|n?'t) (?:be )?(?:reach|contact)|unreachable|not reachable",
        r"unable to (?:reach|contact)|no (?:answer|response) from",
        r"CUSTOMER.{0,12}(?:not|never|doesn't|isn't|didn't) (?:answer|respond|repl|pick)",
        r"CUSTOMER.{0,30}(?:nicht (?:erreich|kontaktier)|antwortet nicht|meldet sich nicht)",
        r"nicht erreich(?:bar|t)|kein(?:en)? kontakt|keine (?:antwort|rueckmeldung)",
        r"(?:telefon|ruf|handy)nummer.{0,20}(?:falsch|ungueltig|nicht)",
        r"CUSTOMER.{0,20}ikke.{0,12}(?:traef|kontakt|svar|fat i)|CUSTOMER svarer ikke|intet svar",
        r"(?:kan|kunne) ikke (?:faa|komme i) (?:fat|kontakt)|ikke (?:traeffes|kontaktes)",
    ),
    "customer_cancelled": (
        r"customer.{0,20}(?:cancel|withdr[ae]w|revok|terminat|changed (?:their|his|her) mind)",
        r"(?:cancell?ed|withdrawn|revoked|terminated) (?:by|at|on) (?:the )?customer|cooling.?off",
        r"CUSTOMER.{0,30}(?:storn|widerr?uf|kuendig|zurueckge(?:zogen|treten)|tritt zurueck"
        r"|abgesagt)",
        r"(?:storn|widerr?uf|kuendig)\w{0,12}(?: \w{1,15}){0,3} kunden",
        r"\bwiderruf|\bkuendigung",
        r"CUSTOMER.{0,30}(?:fortryd|fortrudt|fortroed|annuller|opsagt|opsig|aflyst|trukket)",
        r"(?:annuller|opsagt|aflyst)\w{0,5} (?:af|fra) kunden|\bfortryd|\bfortrudt\b|\bopsigelse\b",
    ),
    "equipment_not_available": (
        r"\bequipment\b|\bhardware\b|\bmodems?\b|\b(?:out of|in|no) stock\b|\bsold out\b",
        r"\brouter\b|\bmeters? (?:is |are |was )?(?:not available|unavailable)",
        r"\bgeraete?\b.{0,30}\b(?:nicht|fehlt|vergriffen)|\bausverkauft\b|\blieferengpass",
        r"\bnicht (?:lieferbar|vorraetig|auf lager)|\bwallbox\b.{0,30}\b(?:nicht|not)\b",
        r"\budstyr|\budsolgt\b|\bikke paa lager\b|\brestordre\b|\bladeboks\b.{0,30}\bikke\b",
    ),
    "installation_complications": (
        r"\binstall|\bcabling\b|\bwiring\b|\bconduit\b|\btrench|\bearthing\b|\binspection failed\b",
        r"\bkabel|\bleerrohr|\bverkabelung\b|\btiefbau|\bmontage|\bzaehlerschrank|\bhausanschluss",
        r"\bkabling\b|\bel-?tavle|\bgravearbejde|\bjording",
    ),
    "service_interruption": (
        r"\boutage|\binterrupt|\bdisruption|\bnetwork fault",
        r"stoerung(?:en)?\b|(?:netz|strom|system)ausfall|\bausfall|unterbrechung|unterbrochen",
        r"\bdriftsforstyrrelse|\bafbrydelse|\bnedbrud|\bstroemafbrydelse|\bstroemsvigt",
    ),
}


def plain_words(text: str) -> str:
    """A text in the form of the patterns: lower case, ASCII letters, single spaces."""
    composed = unicodedata.normalize("NFKC", text).casefold().translate(_WRITTEN_OUT)
    bare = unicodedata.normalize("NFKD", composed)
    return " ".join("".join(c for c in bare if not unicodedata.combining(c)).split())


NAMED_BY_PATTERNS: Final = tuple(_PATTERNS)
"""The causes that have patterns. The first one that matches wins, so the order matters."""


@cache
def pattern_of(cause: str) -> re.Pattern[str]:
    """The regular expression that matches a text with this cause; compiled at its first use."""
    whole = "|".join(_PATTERNS[cause])
    for name, words in _WORDS.items():
        whole = whole.replace(name, words)
    if cause == "credit_check":
        # A check that was passed is no cause, unless the words say that it was not.
        negated = rf"(?=.{{0,30}}\b(?:not|nicht|ikke)\b.{{0,15}}{_PASSED})"
        whole = rf"(?:{whole})(?:{negated}|(?!.{{0,30}}{_PASSED}))"
    return re.compile(whole)
