"""`trisect fetch`: brings what a provider has stored below inbox/, the only part of Trisect that reads from a network.

What is new is first brought whole into var/fetch/ and then moved below inbox/, so that a run never sees half of it.
"""
