"""The texts behind the golden files, written for this project."""

# (type, definition, sentence, entities) of the four prompts of a golden file.
PROMPTS = [
    ("person", "names of people, real or fictional", "Marta Lindqvist met Tom in Oslo on 14 May 2019.", ["Marta Lindqvist", "Tom"]),
    ("river", "streams of fresh water that have a name", "The train to Lyon was late again, so we walked.", []),
    ("utensil", "pots, tools and machines that a cook works with", "Rinse the rice in a fine sieve under cold water.", ["fine sieve"]),
    ("café", "places where coffee is served", "“Zoë’s Corner” — her favourite — closes at 5:30 p.m. 😀", ["Zoë’s Corner"]),
]

# The contrastive loss's prompts: those four, and what they lack. Entities side by side and at both ends of the sentence;
# a type of several tokens; signs of several tokens (one entity begins between two of them); nothing but an entity.
METHOD_PROMPTS = PROMPTS + [
    ("city name", "cities of any size", "Nairobi Lagos and Dakar grow faster than Oslo", ["Nairobi", "Lagos", "Dakar", "Oslo"]),
    ("musical instrument", "things that people make music with", "🎻 or viola da gamba? She took both 😀🎺", ["🎻", "viola da gamba", "🎺"]),
    ("novel", "long stories that are published as books", "Middlemarch", ["Middlemarch"]),
]

# (index in METHOD_PROMPTS, entities of the rejected answer, kind) of the preference pairs; the chosen answer is the gold one.
PAIRS = [
    (0, ["Lindqvist met", "Tom"], "shift-right"),
    (2, ["a fine sieve under"], "expand-both"),
    (4, ["Nairobi", "Lagos", "Dakar", "than"], "shift-left"),
    (3, [], "feedback"),
    (1, ["Lyon"], "feedback"),
]

TOKENIZER_TEXTS = [
    "",
    " ",
    "   ",
    "a",
    "Hello, world!",
    "  two spaces before and after  ",
    "runs   of     spaces       here",
    "tabs\tand\t\ttwo tabs",
    "line\nbreaks\n\nand\r\nWindows ones\n",
    " \n \t mixed \n\n  white space",
    "trailing space and newline \n",
    "1",
    "2024-05-17, 12:34:56",
    "3.14159 and 1,000,000 and 0x1F",
    "x86_64 B2B covid19 4th 20°C ½ ² ٣٤ 四十二",
    "I'm you're he's we'll they've I'd don't can't",
    "I'M YOU'RE HE'S WE'LL THEY'VE I'D DON'T CAN'T",
    "It’s the cooks’ own ‘recipe’, they said: “salt”.",
    "<|im_start|>user\nhi<|im_end|>",
    "<|endoftext|>",
    "text with <|endoftext|> inside, and <repo_name> or <empty_output>",
    "<<< one >>> <<< two >>> .",
    "<<<>>>",
    "👩‍👩‍👧‍👦 is one family, 🏳️‍🌈 one flag, 👍🏽 one thumb",
    "😀😃😄 three in a row",
    "今天天气很好，我们去公园吧。",
    "東京都は日本の首都です。カタカナ、ひらがな。",
    "안녕하세요 세계",
    "مرحبا بالعالم، كيف الحال؟",
    "שלום עולם, מה שלומך?",
    "สวัสดีชาวโลก",
    "नमस्ते दुनिया",
    "e\u0301te\u0301 n\u0303 a\u030a versus été ñ å",
    "Z̴a̷l̸g̵o̶ t̷e̸x̵t̴",
    "Donaudampfschifffahrtsgesellschaftskapitän",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "camelCase snake_case kebab-case SCREAMING_CASE",
    "https://example.org/path?query=1&other=two#part",
    "name@example.org, (see [1]) {a: 'b'} \\ / | ~ ^ `code`",
    "non\u00a0breaking\u00a0space, thin\u2009space, zero\u200bwidth, soft\u00adhyphen",
    "\ufeffbyte order mark and \u2028 line separator",
    "control \u0000 \u0001 \u007f characters",
    "€100, £20, ¥3000 – 5 % … and § 7",
    "Whisk two eggs with 50 grams of sugar until the mixture is pale.",
    "Below is an instruction that describes a task, paired with an input that provides further context.",
]
