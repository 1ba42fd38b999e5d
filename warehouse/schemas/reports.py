"""The numbers and sentences that the pages print."""
