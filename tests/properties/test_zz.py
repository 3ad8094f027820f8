from hypothesis import settings
def test_x(): print(settings().deadline, settings().max_examples, settings.default)
