"""Answers written to try the rules, right and wrong ones, with the letters of the ideas that each one states.

The letters stand for the question's concepts in their order. What a wrong answer states truly counts as stated.
"""
# ruff: noqa: E501  (one answer, one line)

from collections.abc import Iterator
from dataclasses import dataclass

from minillm.classroom.practice import free_text


@dataclass(frozen=True)
class Sample:
    """An answer to a practice question, and for each idea whether it states it."""

    key: str
    text: str
    states: tuple[bool, ...]


def samples(lines: str) -> Iterator[Sample]:
    """Yield the answers of a text such as those below."""
    key = ""
    for line in lines.strip().splitlines():
        letters, bar, text = line.partition("|")
        if not bar:
            key = line.strip()
            continue
        states = tuple("abcde"[i] in letters for i in range(len(free_text.ask(key).concepts)))
        yield Sample(key, text.strip(), states)


@dataclass(frozen=True)
class Trust:
    """How far the rules can be trusted on some answers: ideas seen, stated, and both."""

    answers: int
    seen: int
    stated: int
    both: int

    @property
    def precision(self) -> float:
        """The share of what was seen that was stated."""
        return self.both / self.seen

    @property
    def recall(self) -> float:
        """The share of what was stated that was seen."""
        return self.both / self.stated

    def __repr__(self) -> str:
        return (
            f"{self.answers} answers: of {self.seen} ideas seen, {self.both} were stated ({self.precision:.0%}); "
            f"of {self.stated} stated, {self.both} were seen ({self.recall:.0%})"
        )


def trust(lines: str, key: str) -> Trust:
    """Compare what the rules see in the answers to one question with what these state."""
    found = [(s.states, tuple(free_text.ask(key).coverage(s.text).values())) for s in samples(lines) if s.key == key]
    pairs = [pair for states, seen in found for pair in zip(states, seen, strict=True)]
    stated, seen = (sum(values) for values in zip(*pairs, strict=True))
    return Trust(len(found), seen, stated, sum(a and b for a, b in pairs))


FIRST = """
10.first_phase
abcd | It is called pretraining: the model reads huge amounts of text and learns how language works. Fine-tuning for a task comes later.
abc  | Pre-training. The model sees billions of words and learns to predict the next one.
ad   | The first phase is pre training, and only afterwards is it fine-tuned for a job.
ab   | pretrainning on lots of text from the internet
abcd | During pretraining an LLM learns general patterns of language from massive corpora, without being trained for a specific task
bcd  | It reads an enormous amount of text to get a feel for language; chatting and following instructions are learned later on.
a    | We call it pretraining.
a    | pretraining
acd  | Pretraining! It picks up grammar and facts in general, not one particular task; after that you can fine tune it.
abc  | In the pre-training stage the network goes through trillions of tokens and guesses which word comes next.
ad   | That's pretraining, which happens before fine-tuning.
abc  | Its name is pretraining. A model is shown a large corpus and learns the structure of the language
     | Fine-tuning.
     | It is called fine-tuning, then pretraining follows.
     | Pretraining comes after fine-tuning.
     | It is not called pretraining.
     | Fine-tuning comes before.
     | Is it pretraining?
     | what is pretraining
     | RLHF, where people rate the answers of the model
     | pretraining fine-tuning alignment inference prompting evaluation deployment tokens
     |
     | 🤖🤖🤖
     | La première phase s'appelle le pré-entraînement et le modèle lit beaucoup de texte.
     | It is the phase in which humans label a large dataset for one specific task
     | Pretraining or fine-tuning, I always mix them up
     | I don't know what pretraining means
     | The model is retrained by its users every day
10.objective
a    | To predict the next token.
ab   | It predicts the next word given the previous words.
abcd | It has to guess the next token from the ones before it. The text itself gives the answer, so no labels are needed, and the cross-entropy loss measures how wrong the prediction was.
ab   | Given everything that came before, say which word comes next
abd  | It is trained to give a high probability to the token that actually follows the context
ac   | next-token prediction, self-supervised
ab   | Predicitng the folowing token based on the preceding context
a    | The token that comes next is what it must predict.
cd   | Nobody labels anything; the loss is lowered step by step.
abcd | From the text so far it predicts what comes next, compares its prediction with the actual next token and pays for its surprise; the data is unlabelled.
ab   | The model isn't told any rules, it guesses the next word from the words so far
ac   | Guess the next token. The right answer is simply the next token in the text.
     | It is not trained to predict the next token.
     | To answer questions of users correctly
     | It never predicts the next token.
     | token next predict loss label probability context model
     | What is the next token?
     | People label the next token so that the model can learn it.
     | It predicts the previous token given the next ones.
     | To fill in a masked word in the middle of a sentence
     | To maximise the loss on the training data
     | Does it predict the next token?
     | Many say it predicts the next token, but that is wrong.
     | It classifies sentences as positive or negative using labelled data
     | Das Modell sagt das nächste Wort voraus und die Daten sind nicht gelabelt
     | 🎯
     | idk
     | To be safe, helpful and honest, graded by humans
10.data
abcd | Web pages, books and articles, source code and technical documentation.
abce | Huge amounts of text: the internet, books, GitHub
abe  | Billions of words from websites and novels
ab   | Wikipedia, newspapers and web forums
abcd | Websites, e-books, program code, manuals
abce | It reads trillions of tokens of web text, books and code.
ac   | text from the web and code repositories
b    | books & scientific papers
abd  | Articles, docs and stuff people put online
abce | A massive, diverse corpus with webpages, books and programming code
abcde | a very large quantity of text of all sorts: web crawl, books, code, readmes
abe  | As much text as possible, such as webpages and textbooks.
     | It is not trained on books or web pages.
     | Labelled images of cats and dogs
     | Questions and answers written by people
     | Which data does it read?
     | Only a small set of examples that experts wrote
     | The chats of its users
     | It writes code and searches the web
     | no books, no code, no websites
     | tokens loss gradient attention layers weights optimizer batch
     | 📚
     | fine-tuning uses books and code
     | Livres, pages web et code, en très grande quantité
     | none
     | numbers from sensors
     | Audio and video only
     | It does not read anything, it is programmed with rules of grammar
"""

HELD_BACK = """
10.first_phase
ab   | Pretraining, where the model is fed with giant piles of text.
acd  | It's the pretraining stage. The LLM gets a general understanding of language there, and specialising it for something like customer support is done in a later step.
abcd | First we pretrain: the network digests a big chunk of the internet and figures out how sentences go on. Afterwards comes fine tuning
ac   | I think it's called pretraing, the model learns grammar, facts and style just by reading
ad   | The initial phase is called pre-training; it precedes fine-tuning and alignment.
bc   | The model consumes hundreds of gigabytes of text and becomes good at guessing the next token.
abcd | Pretraining = learning general language patterns from loads of raw text. Left for later: following instructions, being safe, chatting
a    | Pre-Training, obviously
ad   | pretraining. nothing about a particular job is taught yet
cd   | First the model learns the language itself, only then it learns to be an assistant
abd  | It is called pretraining, it uses a vast corpus and isn't aimed at any single task
ac   | Pretraining, i.e. learning to predict words, so that it knows how English is built
ad   | The name of the phase is pretraining and fine-tuning is the one that follows it
abc  | self-supervised pretraining on web-scale data, learning broad knowledge
ab   | "Pretraining". The model goes over millions of documents.
     | The first phase is the training of the tokenizer on human feedback
     | Supervised fine-tuning on question-answer pairs
     | I would not call it pretraining
     | First comes fine-tuning and pretraining is done at the end to polish it
     | It's called inference: the model answers prompts
     | Why would it be called pretraining?
     | pretraining is a myth
     | learning phase model language first called happens later text
     | Alignment
     | It's the phase where users chat with the model and it learns from them
     | Post-training
     | Vortraining, das Modell lernt die Sprache
     | Nobody calls it pretraining; it's prompt engineering.
     | Prompting. The model is told what to do in a particular task.
     | Once a model has been fine-tuned, it goes through pretraining.
10.objective
ab   | The goal is to work out which word is most likely to come after the words it has already seen
abd  | It assigns a probability to every token in the vocabulary given the preceding tokens, and it's penalised by how little it gave to the true one.
ac   | it guesses the next bit of text and the training data already contains the solution
abcd | Predict token t+1 from tokens 1..t. The label is just the following token, the loss is cross-entropy.
a    | Autocomplete, basically: what word is next?  It guesses that.
ab   | It continues text one word at a time, looking only at what's to the left.
ad   | Its job is next word prediction and training tries to make the loss as small as possible
ac   | to predict upcoming words; no human has to mark the right answers because they're in the text
ab   | Looking at a beginning of a sentence, the network forecasts how it goes on
d    | The loss tells how surprised the model was by the real word
c    | The data doesn't need to be annotated, as text supervises itself
abd  | given context -> probability distribution over next token, minimise negative log likelihood
ac   | The model must anticipate the subsequent token, with the text acting as its own teacher
ab   | nxt token prediction based on prevoius tokens
abd  | By seeing the earlier words it should put as much probability as possible on the word that really comes
     | It must classify the topic of the text
     | The objective isn't next-token prediction but getting good ratings from people
     | To learn grammar rules from a textbook
     | It memorises the text so that it can be looked up
     | how should I know
     | next token previous token probability cross entropy unlabelled self supervised gradient transformer
     | It reconstructs the words that were blanked out in the middle of the text
     | Predict what the user wants
     | Translating sentences from English into French with pairs that experts wrote
     | It doesn't guess the next word from the previous ones, it looks it up in a table.
     | Humans write the correct answer for every prompt and the model copies it
     | It should become as accurate as possible on exam questions
     | The higher the loss, the better the model
     | Is the next token predicted from the previous ones, or is it labelled by people?
     | The model predicts earlier words from later ones.
10.data
ab   | Mainly web text, plus digitised books.
abcd | Stuff from the web, books, newspapers, Python programs, and software manuals
be   | A gigantic library of novels and essays
ace  | Terabytes of text scraped from web sites, also source code
abe  | everything they can get: crawled pages, encyclopedias, literature. Trillions of words
ac   | GitHub repos and Reddit threads
ad   | Internet pages and API docs
abcd | It's raw text such as blog posts, journal articles, code and how-to guides
e    | very very large corpora of raw text
ab   | wiki articles, news sites
bc   | papers from arXiv and programming code
ac   | Any text that you can download from the internet, programs included
be   | lots of books
abce | Common Crawl, Wikipedia, books, StackOverflow: an enormous mix
cd   | code and its documentation
     | The weights of an older model
     | Only sentences that linguists have labelled with their grammar
     | neither web pages nor books
     | It isn't shown any code.
     | Is it web pages and books?
     | Photos with captions
     | A few hundred hand-written dialogues
     | Instruction-response pairs
     | It can browse the web to read articles when you ask it
     | It's trained on user feedback (thumbs up or down)
     | Books? No. Websites? No.
     | People say it reads the whole internet. That's false.
     | web token book loss code gpu docs gradient weights attention
     | Exam questions from schools
     | データ
"""

HELD_BACK_AGAIN = """
10.first_phase
abcd | The first step is known as pre-training. You show the model an unimaginable amount of text so it soaks up how people write. It can't do a specific job at that point, that's for the fine tuning afterwards.
ad   | Pretraining. Later on the model gets instruction tuned.
abc  | It's named pretraining, and there the LLM just reads tons of documents and tries to guess each next word
ac   | pre training: learning of general language patterns
ad   | Pretraining is the initial stage, everything task-specific is left for fine-tuning
bd   | A model first swallows the web as a whole; it isn't yet meant for any concrete application
ac   | My answer: pretraining. In this phase the weights get adjusted so that the next token becomes less surprising.
a    | I believe the term is pre–training
abc  | Pretraining is where an LLM acquires a broad knowledge of language out of huge datasets.
ad   | PRETRAINING!!! then finetuning, then alignment
acd  | The phase is pretrainig, it gives the model basic language skills, adaptation to tasks happens later
abcd | In pretraining a model is fed massive quantities of text with no particular task in mind and learns to predict the next token; chat behaviour and safety are added later.
bc   | It reads a lot of books and web pages and learns the structure of sentences
ad   | Called pretraining. It is the foundation on which fine-tuning builds.
a    | the initial learning phase = "pretraining"
     | Fine-tuning is the initial phase
     | The model is first aligned with human values, and pretraining only happens if there's budget left
     | Training.
     | Tokenisation: the text is cut into pieces
     | I'm pretty sure that it isn't pretraining
     | Pretraining is what people wrongly call it; actually it's reinforcement learning
     | it starts with RLHF
     | pre-training?
     | The last phase is pretraining.
     | Reinforcement learning from human feedback on chats
     | Initialisation: random numbers are drawn
     | There is no pretraining, the model is programmed by engineers.
     | phase initial model text corpus transformer attention tokens loss epochs
     | Es heißt Vortraining und das Modell liest sehr viel Text
     | Fine-tuning, which precedes pretraining.
10.objective
ab   | to say which token is likely to follow, given the sequence so far
abcd | The model sees a chunk of text and tries to predict each next token from the tokens to the left of it. Since the next token is in the text we need no labels. We grade it with cross entropy.
ad   | It learns to assign high probability to the token that actually comes next
ab   | predict what word comes after the given ones
ac   | The training signal comes from the text itself: it predicts the next token and the true next token is the answer
d    | It's graded by the negative log of the probability it gave to what came
ab   | It uses the context to anticipate the following word.
ac   | Next-token prediction on raw text, without human labels
abd  | With the preceding text as input, the network outputs a distribution over the next token. A loss function tells how far off it was.
ac   | it has to guess what's next. No teacher is needed as the book already shows the right word
ab   | Given a prefix, it continues it by one token
a    | predicting of the next wrod
ad   | The aim is a low loss on next token prediction
ab   | model must forecast the upcoming token by looking at everything earlier in the sequence
bd   | It looks at what stands before and is punished if it considered the real continuation improbable
     | It does not guess the next token but tells you the meaning of the text.
     | The model should never be surprised by the next token, so it is switched off
     | It's about predicting the next sentence.
     | Summarising articles
     | The goal is to predict whether two sentences belong together
     | To copy the input to the output
     | Answers are checked by experts who tell it whether it was right
     | predicting masked words using both sides
     | The labels come from crowd workers who annotate each sentence
     | I can't remember if it's the next token
     | Is it to predict the next token given the previous tokens?
     | maximising clicks
     | It's wrong that a model predicts the next token; it understands.
     | Predecir la siguiente palabra a partir de las anteriores
     | It finds the previous token when you give it the next token
10.data
abe  | A good part of the public internet and lots of digitized books
abcd | Wikipedia, news, GitHub code, textbooks, technical manuals
ac   | Code from GitHub, posts from Reddit and other forums
abe  | trillions of tokens, mostly webpages but also books and papers
b    | Novels and newspapers
e    | an enormous text corpus
a    | - websites
ab   | Text scraped from the internet; e-books; encyclopaedias
abce | Large-scale text data such as books, websites, articles and source code
d    | User manuals and documentation
ac   | HTML pages & python scripts
abce | All kinds of writing people left on the net - blogs, stories, programs - in huge quantities
cd   | docs and code
abe  | Massive web crawls plus books, no pictures
ab   | It isn't labelled data: it's web pages, books, articles.
     | small labelled datasets
     | Medical images
     | Not the web, and not books either.
     | Ratings of answers by human judges
     | The model generates books and code from scratch
     | random numbers
     | Do they use web pages?
     | Nothing from the internet is used.
     | It's a myth that it reads books and web pages.
     | Prompts and their ideal responses
     | Movies, songs and voice recordings
     | Только размеченные изображения
     | It is trained without any code or documentation
     | lots of GPUs
     | Search queries that users typed in
"""

HELD_BACK_THIRD = """
10.first_phase
abd  | Pretraining – a model is trained on a giant corpus first. Then you can adapt it.
ac   | LLMs begin with pretraining, in which they learn how sentences are put together.
bcd  | A large quantity of text is read and the model learns to predict what follows. Only afterwards do engineers make an assistant of it.
a    | It's the so-called pre-training phase
ad   | pretraining, before you fine tune on your own data
abc  | During the pretraining phase, billions of sentences pass through the network and it improves at predicting the next token.
cd   | At first it learns language in general. Specific tasks are taught in a second phase.
acd  | Pretraining teaches general-purpose language knowledge; helpfulness and safety are left for later.
ab   | That would be pretraining; whole libraries of text go in.
ad   | In the beginning there's pretraining. Fine-tuning follows.
abc  | The model is pretrained on a massive dataset and picks up grammar and facts
d    | it isn't able to follow instructions yet, that comes later
     | Transfer learning
     | the learning phase where a teacher corrects each answer
     | Fine-tuning happens first and is followed by pretraining
     | It was never pretrained
     | Pretraining is what the user does before asking a question? I have no clue
     | The model learns one specific task from labelled examples
     | Evaluation on benchmarks
     | You call it fine-tuning because the model is pretrained already
     | Inference, the model uses what it knows
     | Pretraining takes place after deployment, when users chat with it
     | a huge number of GPUs
     | not sure
10.objective
ab   | Given some words, it must predict the one that comes next.
abd  | Cross-entropy between its predicted distribution over the next token, given the context, and the token that was really there
ac   | You hide the rest of the text and let it guess the next word; the text then reveals the answer
ab   | the model tries to continue a text: based on the earlier tokens it says what comes next
acd  | next-token prediction (self-supervised), minimising loss
b    | It can only use the tokens on its left
abc  | The objective is predicting the next token from the previous tokens. Labels are free because the next token is already there in the data.
ad   | The model gives a probability for each possible next token and pays when it gave the right one too little
a    | To know which word will come next
cd   | No annotations. The lower the loss, the better.
ab   | learning to predict the following token from its left context
ad   | it is rewarded for assigning high likelihood to the next word
     | It predicts the meaning of the next paragraph
     | To give helpful answers to questions from the previous conversation
     | It does anything but predict the next token
     | Far from predicting the next token, it plans whole texts
     | to lower costs
     | It predicts labels from the text
     | Users rate the next word as good or bad
     | It must find the answer in the text
     | The next token is chosen by a human who reads the previous ones
     | If only it predicted the next token!
     | Image classification with labels
     | It predicts the next frame of a video
10.data
abe  | A lot of web content together with books
abcd | websites, magazines, open source software and its docs
ac   | Reddit, StackOverflow and GitHub
e    | Hundreds of billions of tokens of text
abcd | Webpages; books; code; technical docs.
bd   | Scientific articles and user guides
abce | basically everything on the internet: articles, source code, forum threads
abd  | Wikipedia articles, novels, and manuals for machines
ae   | A crawl of billions of web pages
c    | computer programs
b    | Classic literature
abc  | The Pile, i.e. web text, books, GitHub
     | It has billions of parameters
     | Bookings of hotels
     | A web of neurons
     | Customer emails and chat logs
     | It reads neither code nor books nor the web
     | only labelled sentences
     | Everything except web pages and books
     | The model's own outputs
     | Sensor data, temperatures, prices
     | Web pages are not part of it.
     | Which books?
     | manual annotations
"""

HELD_BACK_FOURTH = """
10.first_phase
ad   | We speak of pretraining; the fine-tuning stage is only applied after it.
abc  | Pretraining: the model goes through an enormous dataset and adjusts itself to predict the next token better.
a    | I'd say pretraining.
abcd | It is pretraining. Lots of text, no specific task, just language patterns
bc   | It gets to see a vast amount of written language and learns which words follow each other.
ad   | The answer is "pre-training" - everything else (fine-tuning, RLHF) comes later
acd  | pretrainng where it learns the basics of language, left for later is making it useful for a task
ac   | It is called pretraining because the model learns general things about language in it
ad   | Pretraining is done prior to fine-tuning
b    | it reads most of the internet
     | Backpropagation
     | It is supervised learning with labelled data
     | pretraining and fine-tuning are the same thing, no?
     | The first phase is the one in which people talk to it
     | The initial phase is instruction tuning, where answers to prompts are given
     | I would need to look it up
     | Not pretraining but alignment
     | deep learning
     | Which phase do you mean?
     | Preprocessing, the data gets cleaned
     | Quantisation and deployment
     | It does not learn language in general, it learns one task only
10.objective
ab   | Next-word prediction from the preceding text.
abd  | Given a sequence of tokens the model outputs probabilities for the next one; training maximises the likelihood of the actual token.
ac   | The model guesses the next token and compares it with the one in the text, so no labelling by humans is necessary
d    | The loss says how far the prediction is from what really came.
ab   | It tries to figure out the next word after reading the ones that came earlier
acd  | Guess the next token. Answer: the text. Grade: cross entropy loss.
ab   | continue the sequence: which token comes next given all earlier ones?  It must predict this next token from the previous ones.
ad   | lowering the cross-entropy of next-token predictions
abc  | It predicts each following word from the words before, and the data labels itself.
a    | finding the most probable next word
     | It's trained to be polite
     | It guesses whether a review is positive
     | The model has to memorise every book
     | It has nothing to do with the next token.
     | A human marks the next word as right or wrong after each guess
     | To reduce its number of parameters
     | It predicts what the picture shows
     | The objective is to win against another model
     | it predicts the past
     | word next the predict to
     | That it predicts the next token is a common error.
     | to complete tasks for users
10.data
abce | A huge scrape of the web plus book collections and code from GitHub
ab   | Blogs, online newspapers and literature.
abcd | Web pages, books, programming code and technical manuals
cd   | Source code with its readme files
abe  | Text, text, text. Terabytes of it: webpages, books
ae   | most of the public web
bd   | Research papers and product documentation
abc  | It's fed with Wikipedia, e-books and Stack Overflow
b    | short stories & poems
ac   | python code found on the internet
     | It is trained on nothing but labelled pictures
     | videos from YouTube
     | Conversations between users and assistants
     | A few curated examples
     | It learned from a teacher, like a child
     | Its training data are its own weights
     | no clue, maybe big data
     | Data that humans rated
     | The prompt
     | It never saw a book or a web page
     | GPUs and TPUs
     | telephone books? no idea
"""

HELD_BACK_FIFTH = """
10.first_phase
ad   | pretraining = the general part; fine-tuning = the special part that follows
abc  | It is known as pretraining: reading a mass of text, the model works out how language behaves.
a    | the name for that is pre-training
cd   | The model isn't taught any particular job, it only absorbs the patterns of language
abd  | Pretraining on a big corpus. Afterwards it can be specialised.
ac   | This phase, pretraining, gives the network its knowledge of grammar and of the world
abcd | pre-training: next-word prediction over trillions of words; instruction following and alignment come after that
ad   | First comes pretraining and then comes fine-tuning.
bc   | From huge amounts of text it learns statistical patterns of language.
a    | Pretraining. Sorry, that's all I remember
     | finetuning phase
     | It's called learning by heart
     | Zero-shot prompting
     | The first phase is called embedding
     | Pretraining is not the first phase, fine-tuning is.
     | I thought it was pretraining but it's called alignment
     | After fine-tuning the model is pretrained
     | Is pretraining before or after fine-tuning?
     | model language text large first later task
     | It learns from thumbs-up and thumbs-down
     | "Pretraining" is the wrong answer.
     | self-training
10.objective
a    | The task is next-token prediction.
ab   | Using the earlier words as context, the model predicts the next.
abd  | It outputs a probability distribution over the next token given the past, and is trained to make the observed token likely.
ac   | predict the next word; the true word is in the text so you get labels for free
abcd | Read the tokens before, predict the next one, look it up in the text, compute the cross-entropy
ad   | The model should be as little surprised as possible by the next token
ab   | It is asked again and again: what's the next token, given all the tokens so far?  It has to predict that next token from the tokens so far.
c    | unlabelled text is enough, since it supervises itself
ab   | it learns p(next token | previous tokens)
d    | A loss function measures the error of the prediction
     | It should avoid predicting the next token
     | it answers exam questions and a teacher grades them
     | It learns to recognise objects
     | To understand what people mean
     | The loss should get as high as possible
     | The model predicts nothing, it copies.
     | Next, tokens are removed and the model predicts nothing
     | To find errors in a text
     | The model is graded by users after the conversation
     | It does not use what came before
     | Predicting the price of a house from labelled data
     | Some claim it's next-token prediction. Not so.
     | reinforcement learning with rewards from human raters
     | It predicts the first word of a text from the last
10.data
abe  | Loads of stuff: websites, novels, newspapers
abcd | articles, web forums, programs in Python, technical references and manuals
ac   | web-scraped text; GitHub
ab   | texts by people on the internet and in books
abe  | As many web pages and books as they could get
d    | the documentation of libraries
abce | hundreds of gigabytes - Common Crawl, books, code
b    | It reads newspapers.
ae   | nearly the entire internet
abc  | It uses public web data, digitized literature, and open-source code.
     | Labelled examples
     | Its own answers and the users' reactions to them
     | It's not web pages.
     | It learns by talking with people
     | recordings of phone calls
     | none of these: books, code, web
     | Rules of grammar written by linguists
     | Does it include books, code, web pages?
     | text message
     | It can write a book or a web page for you.
     | the weights are stored on many disks
     | Bücher, Webseiten und Code
"""

HELD_BACK_SIXTH = """
10.first_phase
abc  | In pretraining the model is exposed to massive text corpora in order to learn general linguistic patterns.
ad   | The first stage is pretraining, which is followed by fine-tuning.
ac   | Pre-training: it acquires general language understanding.
abcd | It's pretraining. A network reads a large part of the web, predicts next words, and is not trained for a certain task.
a    | Pretraining I guess
bd   | It reads lots of text without being told what it will be used for. Fine-tuning comes afterwards.
ab   | the pretraining phase, with huge datasets
acd  | Pretraining comes before fine-tuning and teaches the structure of language
ad   | pretraining; later on it is adapted to specific tasks
a    | PRE TRAINING
     | Pretraining comes last, fine-tuning comes first.
     | The first phase isn't called pretraining.
     | It is never called pretraining
     | fine tuning comes before
     | what is the name of the first phase?
     | Could it be pretraining?
     | pretraining finetuning rlhf inference prompt token model data
     | 预训练
     | Preentrenamiento
     | 😂😂
     | Supervised learning with labels
     | ...
10.objective
a    | Predicting the next token
ab   | It predicts the next word based on the preceding words in a sentence
abcd | The model predicts the next token given the previous tokens. The text provides the labels itself. The error is measured by the cross-entropy loss.
ab   | Given previous tokens, predict the next one.
ac   | self-supervised learning: guess the following token, no human labels
abd  | It gives probabilities to all possible next tokens based on the context and the loss is low if the right one was probable
a    | guessing the next word
d    | it is graded by how surprised it was at the actual token
ac   | The next token is the label, nobody has to write it
ab   | Looking at the words so far it says what comes next
     | It is not trained to predict the next token
     | The objective is not next token prediction
     | The model doesn't predict upcoming words from previous ones
     | What is the objective?
     | Is the objective to predict the next token?
     | predict token next previous label loss data text probability
     | to predict the previous token from the next token
     | El objetivo es predecir el siguiente token
     | L'objectif est de prédire le prochain token
     | Humans label the correct next words
     | 🤷
     | To classify images
10.data
abc  | Web pages, books, code
abcd | It is pretrained on web pages, books, articles, code repositories and technical documentation.
abe  | Massive amounts of text from the internet and from books
ab   | Online articles and books
c    | source code
abe  | Billions of web pages, and books too
ae   | A huge amount of internet text
bd   | books and technical docs
abc  | websites, wikipedia, GitHub, literature
ab   | The data are mostly crawled web pages and digital books.
     | It is not trained on web pages or books
     | It's trained on no code
     | only labelled data from experts
     | What data?
     | Are web pages used?
     | Libros, páginas web y código
     | 📖💻
     | images and sounds
     | It never reads books, articles or code.
     | user conversations
     | gradient loss token layer attention optimizer weights
"""

HELD_BACK_SEVENTH = """
10.first_phase
abc  | Pretraining. The network works its way through an enormous text collection and gradually discovers how sentences are put together.
abcd | The first stage is pretraining: billions of words from the internet are read to learn general language, and specialising it for a job is left to fine-tuning.
acd  | It's called pre-training, where the model learns the statistics of language by guessing upcoming words; turning it into an assistant happens afterwards.
bc   | It goes through a massive pile of books and websites and tries to guess every next word.
ad   | Pretraining comes before fine-tuning, which adapts the model to a task.
abd  | In pretraining it reads most of the public web. Following instructions comes later, through fine-tuning and alignment.
     | The first phase is instruction tuning, pretraining is what you do at the end.
     | It does not read much text, and pretraining is not the name of it.
     | First it is fine-tuned for a task, and afterwards it learns the language by pretraining.
     | It's called alignment; people teach it to be polite.
     | The model is taught a handful of sentences by teachers.
a    | Pretraining is when experts label every sentence for the task it will do.
10.objective
ab   | Given the words so far, it has to guess which word comes next.
abcd | It predicts the token that follows from those before it. The targets are taken from the text itself, and cross-entropy tells how far off it was.
acd  | Next-token prediction. No annotation is needed because the text provides the answer, and a loss punishes low probability for the true token.
abd  | It assigns a probability to every possible next token based on the context, and its loss is the negative log probability of the one that came.
bc   | It looks at the preceding text; the continuation of the text serves as the label.
ac   | The task is to say what comes next, and the document already contains the solution, so nobody has to annotate.
     | It predicts the words before from the words after.
     | The model isn't graded by a loss and does not predict the next token.
     | People write the correct answers, and the model learns to copy them.
     | It is trained to answer questions, and users rate how helpful it is.
     | It summarises the text it has read so far and is marked on the summary.
a    | It guesses the next word, and human raters tell it whether it was right.
10.data
abce | Huge amounts of web text, novels and source code.
abcd | Websites, books, program code, and manuals.
abe  | Trillions of words crawled from the internet, plus newspapers.
acde | A very large mix: Common Crawl, GitHub repositories and API docs.
abc  | Things people put on the internet, like blogs and forums, Wikipedia articles, and Python code.
be   | Vast libraries of books.
     | It reads no books and no code, only what its users type.
     | Labelled question and answer pairs checked by experts.
     | A small hand-picked set of example conversations.
     | Neither web pages nor code are used in pretraining.
     | Photos and videos with captions.
     | Everything except web pages, books and code.
"""

ALL = "".join(
    (
        FIRST,
        HELD_BACK,
        HELD_BACK_AGAIN,
        HELD_BACK_THIRD,
        HELD_BACK_FOURTH,
        HELD_BACK_FIFTH,
        HELD_BACK_SIXTH,
        HELD_BACK_SEVENTH,
    )
)
