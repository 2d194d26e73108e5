"""The worker: joins the transport, the state core and the ledger; every decision is made in one of those."""
