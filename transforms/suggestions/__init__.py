"""Lines to paste into policy/ for what no rule reaches."""
