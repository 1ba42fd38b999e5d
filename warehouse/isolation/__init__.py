"""Work on what others wrote, in a child process with limits and without network."""
