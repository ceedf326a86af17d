"""The waiting half of single flight: what the core decides, threads and tasks wait for here."""
