"""What stands at the door of every listener: deadlines, and a limit for how many may be inside."""
