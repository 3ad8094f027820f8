"""Coverage-guided fuzzing of everything that reads what others wrote. `engine.py` is the fuzzer, `targets_*.py` say
what is fuzzed, `found.py` keeps what was once found.
"""
