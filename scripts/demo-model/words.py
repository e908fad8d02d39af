"""The facts and words that the dialogues are made of. All of it was written for this project."""

NAMES = (
    "Ada Alba Amir Anna Aron Bela Ben Bora Cara Carl Dana David Dora Ella Emil Emma Erik Eva Faro Finn Frida Gino Greta Hana Hugo Ida Igor Ines Iris Ivan "
    "Jana Jonas Judit Kari Karl Kira Lara Lena Leo Lina Lisa Luca Maja Mara Marco Maria Mia Milo Mira Nadia Nico Nina Nora Olga Omar Oscar Otto Paula Petra "
    "Pia Rafi Rosa Ruben Sam Sara Selma Sofia Stella Tara Theo Tim Tina Tom Uma Vera Viktor Wanda Yara Yusuf Zara Zoe"
).split()

COLOURS = "red blue green yellow orange purple pink brown black white grey".split()

# A thing and its colour.
THING_COLOURS = dict(
    pair.split("/")
    for pair in (
        "lemon/yellow banana/yellow sun/yellow canary/yellow tomato/red strawberry/red cherry/red rose/red heart/red sky/blue sea/blue blueberry/blue grass/green "
        "leaf/green frog/green cucumber/green lime/green pea/green carrot/orange pumpkin/orange mandarin/orange plum/purple grape/purple violet/purple pig/pink "
        "flamingo/pink salmon/pink chocolate/brown bear/brown chestnut/brown coffee/brown coal/black night/black raven/black tar/black snow/white milk/white "
        "swan/white salt/white cloud/white elephant/grey mouse/grey stone/grey ash/grey"
    ).split()
)
NO_ARTICLE = {"grass", "chocolate", "coffee", "coal", "tar", "snow", "milk", "salt", "ash"}
THE_ARTICLE = {"sun", "sky", "sea", "night"}

MIXES = {("blue", "yellow"): "green", ("red", "yellow"): "orange", ("red", "blue"): "purple", ("red", "white"): "pink", ("black", "white"): "grey", ("red", "green"): "brown"}

CLOTHES = "hat coat scarf bag shirt cap dress jacket belt umbrella cup bicycle kite ball boat box".split()

# An animal: what it says, its young, where it lives, how many legs it has, how it moves.
ANIMALS = {
    "cow": ("moo", "calf", "on a farm", "four", "walk"),
    "dog": ("woof", "puppy", "in a house", "four", "walk"),
    "cat": ("meow", "kitten", "in a house", "four", "walk"),
    "sheep": ("baa", "lamb", "on a farm", "four", "walk"),
    "horse": ("neigh", "foal", "in a stable", "four", "walk"),
    "pig": ("oink", "piglet", "on a farm", "four", "walk"),
    "duck": ("quack", "duckling", "on a pond", "two", "swim"),
    "hen": ("cluck", "chick", "on a farm", "two", "walk"),
    "goat": ("bleat", "kid", "on a farm", "four", "walk"),
    "lion": ("roar", "cub", "on the savanna", "four", "walk"),
    "wolf": ("howl", "pup", "in the forest", "four", "walk"),
    "owl": ("hoot", "owlet", "in the forest", "two", "fly"),
    "frog": ("croak", "tadpole", "on a pond", "four", "swim"),
    "bee": ("buzz", "larva", "in a hive", "six", "fly"),
    "mouse": ("squeak", "pinkie", "in a hole", "four", "walk"),
    "donkey": ("hee-haw", "foal", "in a stable", "four", "walk"),
    "snake": ("hiss", "snakelet", "in the grass", "no", "crawl"),
    "raven": ("caw", "chick", "in the forest", "two", "fly"),
    "bear": ("growl", "cub", "in the forest", "four", "walk"),
    "goose": ("honk", "gosling", "on a pond", "two", "swim"),
    "elephant": ("trumpet", "calf", "on the savanna", "four", "walk"),
    "pigeon": ("coo", "squab", "in the city", "two", "fly"),
}

OPPOSITES = dict(
    pair.split("/")
    for pair in (
        "hot/cold big/small tall/short fast/slow old/young happy/sad light/dark high/low hard/soft wet/dry full/empty rich/poor strong/weak early/late open/closed "
        "clean/dirty loud/quiet long/brief thick/thin wide/narrow heavy/weightless good/bad up/down left/right in/out near/far day/night first/last push/pull "
        "begin/end buy/sell give/take love/hate win/lose true/false sweet/sour sharp/blunt deep/shallow brave/timid awake/asleep north/south east/west summer/winter "
        "friend/enemy question/answer above/below before/after always/never inside/outside"
    ).split()
)

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()

KINDS = {
    "fruits": "apples pears plums cherries bananas grapes".split(),
    "animals": "dogs cats horses lions frogs owls".split(),
    "colours": "red blue green yellow pink brown".split(),
    "tools": "hammers saws knives brushes needles shovels".split(),
    "drinks": "water milk tea juice coffee lemonade".split(),
    "toys": "dolls kites balls blocks puzzles trains".split(),
    "vegetables": "carrots peas beans onions leeks beets".split(),
}

# Words to repeat and reorder: things, and a few calls.
WORDS = (
    "apple river window garden silver table paper winter candle mountain letter bridge kitchen sailor market pencil cotton basket feather island ladder "
    "rabbit summer thunder velvet willow copper dragon forest ginger harbour jungle lantern meadow needle oyster pepper quartz ribbon saddle temple valley "
    "walnut yellow zebra moon star stone bread water cloud flower song hooray bravo ahoy hello aye arr matey yes no wow captain ship sea gold"
).split()

GIFTS = "book pen cake apple map lamp flower letter present postcard sandwich picture ticket song drawing key chair blanket pillow towel".split()
ASKS = "glass of water|cup of tea|pen|map|chair|blanket|slice of bread|sheet of paper|towel|ticket|spoon|pillow|key|sandwich|book|lamp|pencil".split("|")
FAULTS = "being late|breaking the cup|losing the key|making noise|spilling the milk|forgetting the date|stepping on your foot|waking you up|eating the cake|missing the call".split("|")
FAVOURS = "open the door|close the window|carry the bag|pass the salt|wait a moment|help me|speak slowly|turn on the light|hold my coat|show me the way|read the letter|take a picture".split("|")
