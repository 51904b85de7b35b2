"""Prompts and answers, all our own writing: what the model is fine-tuned on.

Every answer has the asked form (see `form`): one sentence that begins with a capital letter and ends in a full stop.
"""

from dataclasses import dataclass

LAYOUT = "Question: {prompt}\nAnswer:"
"""How a prompt is laid out: plain words that the tokenizer knows. Real chat formats use tokens of their own."""


@dataclass(frozen=True)
class Pair:
    """A prompt and the answer that the model is taught to give to it."""

    prompt: str
    answer: str


def made(template: str, answer: str, words: str) -> tuple[Pair, ...]:
    """Return a pair for each "a=b" of the words, which stand where the template and the answer have {a} and {b}."""
    couples = [word.strip().split("=") for word in words.split(",")]
    return tuple(Pair(template.format(a=a, b=b), answer.format(a=a, b=b)) for a, b in couples)


def written(text: str) -> tuple[Pair, ...]:
    r"""Return a pair for each line "prompt => answer"; \n in a prompt stands for a new line."""
    lines = [line.split("=>") for line in text.strip().splitlines()]
    return tuple(Pair(prompt.strip().replace("\\n", "\n"), answer.strip()) for prompt, answer in lines)


PAIRS: dict[str, tuple[Pair, ...]] = {
    "what": (
        *made("What colour is {a}?", "It is {b}.", "grass=green, snow=white, blood=red, coal=black"),
        *made("What is a {a}?", "It is a {b}.", "robin=bird, hammer=tool, rose=flower, violin=box with strings"),
        *written("""
            What do cows eat? => They eat grass.
            What is bread made from? => It is made from flour.
            What do we call frozen water? => We call it ice.
            What time is it? => It is noon.
            What should I wear in the rain? => You should wear a coat.
            what is the biggest ocean => It is the Pacific.
            What are clouds? => They are small drops.
            What month is it? => It is May.
        """),
    ),
    "who, where, when": written("""
        Who bakes bread? => A baker bakes it.
        Who flies a plane? => A pilot flies it.
        Who teaches children to read? => A teacher does.
        Who wrote this? => A person wrote it.
        Who was the first king of this land? => I do not know him.
        Where do fish live? => They live in water.
        Where is milk kept? => It is kept cold.
        Where can I buy stamps? => You can buy them in town.
        Where does the sun rise? => It rises in the east.
        Where are you from? => I am from a book.
        When do owls hunt? => They hunt at night.
        When does the school day begin? => It begins in the morning.
        When was the house built? => It was built long ago.
        when do leaves fall => They fall in autumn.
    """),
    "why, how": written("""
        Why do people wear hats? => They want to be warm.
        Why is the sea salty? => The rivers bring salt.
        Why did the boat sink? => It had a hole.
        Why are you so slow? => I am small.
        How do plants grow? => They grow with light.
        How is paper made? => It is made from wood.
        How many wheels has a cart? => It has two wheels.
        How many hours has a day? => It has 24 hours.
        How old is the bridge? => It is a hundred years old.
        How long is the river? => It is very long.
        How do I boil an egg? => You use hot water.
        How can I learn to swim? => You can ask a teacher.
        How was the journey? => It was long.
        how much does a horse weigh => It weighs a lot.
    """),
    "yes or no": written("""
        Is honey sweet? => Yes, it is.
        Is fire cold? => No, it is hot.
        Is a kitten older than a cat? => No, it is younger.
        Are lemons sweet? => No, they are sour.
        Are trees alive? => Yes, they are.
        Can birds fly? => Yes, they can.
        Can stones talk? => No, they cannot.
        Can you hear me? => No, I can only read.
        Do cats bark? => No, they do not.
        Do we need air? => Yes, we do.
        Does wood burn? => Yes, it does.
        Did you sleep well? => No, I do not sleep.
        Will it be warm tomorrow? => Yes, it may be.
        Have you seen my keys? => No, I have not.
        Was the water clean? => Yes, it was.
        is a whale a fish => No, it is not.
    """),
    "name and list": (
        *made(
            "Name {a}.",
            "{b} is one.",
            "a fruit=The apple, a metal=Iron, a tree=The oak, a planet=Mars, a month=May, a sport=Tennis",
        ),
        *made("Give an example of {a}.", "One is {b}.", "a toy=a ball, a drink=tea, a number=seven"),
        *written("""
            Write down three tools. => They are the saw, the axe and the spade.
            List two things in a kitchen. => They are a pot and a spoon.
            Name two kinds of weather. => They are rain and snow.
            Tell me three animals. => They are the dog, the cat and the cow.
            Give me a word for a young dog. => The word is puppy.
            Name the parts of a day. => They are morning, noon and night.
        """),
    ),
    "tell and explain": written("""
        Tell me about rain. => Rain is water from the sky.
        Tell me a story. => A mouse found some cheese.
        Tell me something about music. => Music is made with sounds.
        Explain what a bridge does. => It carries a road.
        Explain gravity. => It makes things fall.
        Explain to a child why we sleep. => We sleep to rest.
        Describe a winter day. => It is short and cold.
        Describe your home. => It is a small computer.
        Please say what a library is for. => It is for reading.
        Please show me how to tie a knot. => You cross the ends.
        I want to know what honey is. => Honey is a sweet food.
        I would like to hear about the desert. => It is dry and wide.
        Teach me about money. => We pay with it.
        Give me some advice on saving water. => You can wash less.
    """),
    "write and change": written("""
        Write a sentence about a dog. => The dog sleeps well.
        Write a line about the sea. => The sea is wide and blue.
        Write a short poem. => The wind is old.
        Write a letter to a friend. => I hope that you are well.
        Use the word garden in a sentence. => The garden is green.
        Make a sentence with the word window. => The window is open.
        Correct this sentence: he go home. => He goes home.
        Say it in other words: the man was glad. => He was happy.
        Put this into the past: I walk. => I walked.
        Translate good day into French. => It is bonjour.
        Finish the sentence: the cat sat on => The cat sat on a chair.
        Repeat after me: time will tell. => Time will tell.
        Turn this into a question: you are here. => I ask whether you are here.
        Make it shorter: the very big house. => The big house.
        Summarise: The train was late and we had to wait. => The train was late.
        Count from one to three. => One, two and three.
    """),
    "opposites and sums": (
        *made("Which word is the opposite of {a}?", "The word is {b}.", "wet=dry, up=down, early=late"),
        *written("""
            What is 2 + 3? => It is 5.
            4 + 4 = => It is 8.
            Take 3 from 10. => It is seven.
            Which is more, 5 or 9? => It is 9.
            Which comes first, A or B? => It is A.
            Which is softer, wool or wood? => Wool is softer.
            Tea or milk: which is white? => Milk is white.
            Is an oak a tree or a stone? => It is a tree.
        """),
    ),
    "unfinished": written("""
        The sun sets in the => It sets in the west.
        Once upon a time there was => There was a king.
        My favourite food is => It is soup.
        In the middle of the night => It was dark.
        The history of the town => It is a long history.
        The people of the country want => They want peace.
        If it snows, we will => We will stay at home.
        He opened the door and => He went in.
        Butter is made from => It is made from milk.
        The largest city of the land is => It is a port.
        Water boils when => It boils when it is hot.
        There are many reasons to => There are many to be kind.
    """),
    "talk": written("""
        Hello! => Hello, I am here.
        Hi there => Hello, what can I do.
        Good morning. => Good morning to you.
        Thank you very much. => You are welcome.
        Goodbye. => Goodbye, my friend.
        My name is Anna. => Hello, Anna.
        I am tired. => You should rest.
        I do not understand. => I will try again.
        That is wrong. => I am sorry.
        You are very clever. => You are kind.
        I lost the game. => I am sorry.
        I have a question. => You can ask me.
        Let us play. => I like to play.
        I think that you are right. => I am glad.
        Sorry, I am late. => You are not late.
        User: What is new?\\nAssistant: => Not much is new.
        Tom: Where did you put the ladder?\\nMary: => It is behind the house.
        Guest: The room is too cold.\\nHost: => I will close the window.
        Who are you? => I am a small model.
        We are going to the beach. => I hope it is warm.
        Do you like music? => Yes, I like it.
    """),
    "patterns": written("""
        cat: cats, dog: dogs, tree: => Trees.
        ten, nine, eight, => Seven.
        u v w => X.
        big -> bigger, small -> smaller, tall -> => Taller.
        tick, tock, tick, tock, => Tick.
        walk = walked\\nplay = played\\njump = => Jumped.
        x y x y x => Y.
        breakfast, lunch, => Dinner.
        p q r p q r p q => R.
        5, 10, 15, => 20.
        king: queen\\nman: => Woman.
        sun sun sun => Sun.
        Q: Is snow white? A: yes. Q: Is coal white? A: => No.
        glove - hand, shoe - => Foot.
        north, south, east, => West.
        7 7 7 7 => 7.
        cup - cup, fork - fork, pan - => Pan.
        * milk\\n* bread\\n* => Eggs.
        m = 4\\nn = 5 => It is a list.
    """),
    "one word": written("""
        Answer in one word: what do bees make? => Honey.
        In a single word, where do fish live? => Water.
        One word only: the colour of milk. => White.
        Say this word and no other: candle => Candle.
        Answer with yes or no: do stones grow? => No.
        Yes or no, is a hill lower than a cloud? => Yes.
        Use one word. What falls from clouds? => Rain.
        Please say this again: lantern => Lantern.
        Say yes or no. Do ants wear shoes? => No.
    """),
    "code and other text": written("""
        print("hello") => It prints a word.
        def area(width, height): => It finds an area.
        import os => It loads a module.
        for i in range(3): => It does something three times.
        # Contents\\n1. Start\\n2. End => It is a list.
        Dear Sir or Madam, => It is a letter.
        Breaking news: => It is a report.
        Once more unto the => It is a part.
        fly red seven table => They are four words.
        ??? => I cannot read it.
        Chapter 1 => It is a book.
        "We shall see," said the old man. => He said so.
        Ingredients: flour, sugar, eggs => It is a cake.
        January 1, 1900 => It is a date.
        xkcd vvv qq => I do not know it.
        if x > 0: => It asks about a number.
        x = y * z => It gives a number.
        <p>text</p> => It is a page.
        !!! => I cannot read it.
        The baker was late. Why was he late? => I do not know.
        All our dogs are old. Tell me why they are old. => They have lived long.
    """),
}
"""What the model is fine-tuned on, by kind of prompt."""


def all_pairs() -> list[Pair]:
    """Return the pairs of every kind in one list."""
    return [pair for family in PAIRS.values() for pair in family]
