"""Tables of the night become the numbers and sentences that the pages print."""
