"""The English words that steer how a sentence is read or cut ("no", "but", "very"), and those that say nothing about music and are passed over.

All are in lower case and without apostrophes, as `lexicon.letters_of` leaves them.
"""


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Negators whose reach runs on through a list with commas: "avoid drums, bass, guitars".
LISTING = _words("avoid avoiding exclude excluding omit remove skip dont never cannot cant")
# Negators that take one thing, or things joined by "and" and "or".
NEGATING = _words("no not without minus zero non nor neither except isnt arent doesnt shouldnt wont hate w/o")
# Words after which a negation is over.
ENDING = _words("but with just only instead yet however though although while featuring plus rather then")
JOINING = _words("and or nor & plus")
ARTICLES = _words("a an some the lots")
# Words after which something must follow, so that no sentence ends with one.
DANGLING = _words("""and or nor but plus with without the a an of to in into on onto at by for from as over under through towards
    toward while that which who whose when where then than its their his her this these those like very more most less so is
    are was be und oder mit der et ou avec le les de du y con el""")
# Written with a capital letter, and nobody's name.
ORIGINS = _words("""african american arabic asian balkan baroque brazilian celtic chinese christmas classical cuban english european
    french german gregorian gothic greek indian irish italian japanese latin mediterranean nordic oriental renaissance romantic
    romani russian scottish spanish turkish viennese western""")
# How much of what follows: 1 plainly; below 0 is a refusal.
DEGREES = {
    **dict.fromkeys(_words("very really so super highly incredibly truly deeply totally"), 1.3),
    **dict.fromkeys(_words("extremely insanely ultra utterly"), 1.5),
    **dict.fromkeys(_words("quite rather pretty fairly"), 1.0),
    **dict.fromkeys(_words("slightly somewhat bit little mildly subtly touch hint kinda almost"), 0.5),
    "too": 1.0,
    "more": 1.2,
    "less": -0.6,
    "fewer": -0.6,
}
PASSED_OVER = _words("""a about above add added after all along also always am an and any anything are around as at available back background backing based be
    because been before being below best between both by can clip clips compose composition could create do does done each
    else end etc every everything feel feeling feelings feels film films find for from fit fits fitting footage generate get
    give go goes going good got great had has have having he help her here hers him his how i id if ill im in instrument
    instruments instrumentation into is it its itself ive kind lets like likes line lines list lot lots made make makes making
    may me might mix mixed mode mood moods most movie movies much music musical must my myself need needed needs nice of
    off often on one or other our out over own part parts perfect perhaps piece pieces play played playing plays please
    possible put score scored scoring section sections she should similar some something somewhat song songs soon sort sound sounding
    sounds soundtrack style styled such take tempo than thank thanks that the their them then there these they thing
    things this those through to together track tracks try tune tunes type under until up us use used using usual
    usually vibe vibes video videos want wanted wants was way we well were what when where which who will wish with within
    work works would you your yours key bpm
    sets setting overall throughout reel short ok okay hello hi hey""")
