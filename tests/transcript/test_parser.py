"""Labels that may or may not be voices."""

from pipeline.transcript.parser import undeclared_labels

TEXT = """+++
[voices.Nora]
person = "nora"
+++

Nora : Bonjour.

Malik : Une soixantaine.

Léa : Oui.

Léa : Non.

%% Note : à vérifier
"""


def test_a_name_said_once_and_not_declared_is_asked_about():
    assert undeclared_labels(TEXT) == ((8, "Malik"),)


def test_nothing_is_asked_when_every_name_is_known():
    assert undeclared_labels(TEXT.replace("Malik", "Nora")) == ()
