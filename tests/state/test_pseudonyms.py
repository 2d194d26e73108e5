from __future__ import annotations

import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from pipeline.state.policy import Policy


@given(st.binary(min_size=1, max_size=200), st.lists(st.text(), min_size=1, max_size=4))
def test_pseudonyms_are_what_hmac_makes_of_ids(key: bytes, ids: list[str]) -> None:
    """Also with keys of more than a block of the hash, and whatever was hashed before."""
    policy = Policy(pseudonym_key=key)
    for name in (*ids, *ids):
        encoded = name.encode()
        assert policy.hashed(name) == hmac.new(key, encoded, hashlib.sha256).digest()[:16]
