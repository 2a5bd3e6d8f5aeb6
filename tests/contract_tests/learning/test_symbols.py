"""What the contract expects of the words of the learner."""

import pytest

from contract_tests.learning.symbols import ContractState, list_symbols, list_words

EVERY = list_symbols(hook=True, other_team=True)


def expect(*word: str) -> list[tuple[str, str]]:
    """Return what the contract expects of each symbol of a word."""
    state, expected = ContractState(), []
    for symbol in word:
        expected.append(state.expect(symbol))
        state.apply(symbol)
    return expected


@pytest.mark.parametrize(
    ("word", "last"),
    [
        (["update name"], ("refuse", "service-exists")),
        (["create deployed"], ("accept", "slug-unique")),
        (["create deployed", "create external"], ("refuse", "slug-unique")),
        (["create deployed", "update URL"], ("refuse", "external-url-on-external-only")),
        (["create external", "update URL"], ("accept", "external-url-on-external-only")),
        (["create external", "update by other team"], ("refuse", "team-scope")),
        (["create external", "set deploying", "update name"], ("refuse", "not-while-busy")),
        (["create external", "set stopping", "set running", "update name"], ("accept", "not-while-busy")),
        (["create deployed", "update type", "update URL"], ("refuse", "external-url-on-external-only")),
    ],
)
def test_the_contract_expects_what_the_pages_say(word: list[str], last: tuple[str, str]) -> None:
    """The last symbol of a word has the expectation and the rule of the state that the others lead to."""
    assert expect(*word)[-1] == last


def test_only_what_a_target_offers_is_sent() -> None:
    """Without a control hook no status is set, and without a second team nobody else updates."""
    assert "set running" not in list_symbols(hook=False, other_team=True)
    assert "update by other team" not in list_symbols(hook=True, other_team=False)


def test_the_words_tell_each_state_of_the_contract_apart() -> None:
    """The results of the words that follow the shortest one to a state are different for each of the five states."""
    accesses = [
        (), ("create deployed",), ("create external",), ("create deployed", "set deploying"),
        ("create external", "set deploying"),
    ]  # fmt: skip
    words = list_words(EVERY)
    results = {}
    for access in accesses:
        start = len(access)
        following = [word for word in words if word[:start] == access]
        results[access] = {word[start:]: tuple(expect(*word)[start:]) for word in following}
    common = set.intersection(*({*found} for found in results.values()))
    shown = [tuple(found[word] for word in sorted(common)) for found in results.values()]
    assert len(set(shown)) == len(accesses)
