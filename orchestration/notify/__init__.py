"""What is sent to people: notices, messages, servers, one dispatch."""
