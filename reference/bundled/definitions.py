"""Names and definitions, several per corpus label, so that healing has to read them.

Written for this project. A name or a definition is drawn at random for every prompt.
"""

TYPES: dict[str, tuple[list[str], list[str]]] = {}


def _add(labels: str, names: str, *definitions: str) -> None:
    for label in labels.split(" "):
        TYPES[label] = (names.split("; "), list(definitions))


_add("art-broadcastprogram", "broadcast program; television show; programme", "radio and television series and shows", "titles of programmes that are broadcast")
_add("art-film", "film; movie", "titles of films and movies", "motion pictures shown in cinemas")
_add("art-other", "work of art; other art", "named works of art such as sculptures and plays", "creative works that are neither films nor books")
_add("art-painting", "painting; picture", "titles of paintings and drawings", "named pictures made by a painter")
_add("art-writtenart", "written art; publication", "titles of books, poems, comics and articles", "works of literature and other published writing")
_add("building-airport", "airport; airfield", "names of airports and air bases", "places where aircraft take off and land")
_add("building-hospital", "hospital; clinic", "names of hospitals and clinics", "buildings where patients are treated")
_add("building-hotel", "hotel; inn", "names of hotels, inns and resorts", "buildings where travellers pay to stay the night")
_add("building-library", "library", "names of libraries and archives", "buildings or institutions that lend books")
_add("building-other", "building; structure; other building", "named buildings, houses, towers and monuments", "structures built by people")
_add("building-restaurant", "restaurant; eating place", "names of restaurants, bars and cafes", "places where guests are served meals")
_add("building-sportsfacility", "sports facility; stadium", "stadiums, arenas and sports grounds", "places built for games and races")
_add("building-theater", "theater; playhouse", "names of theatres and opera houses", "buildings where plays are performed")
_add("event-attack/battle/war/militaryconflict", "battle; war; military conflict", "wars, battles, attacks and sieges", "named fights between armies")
_add("event-disaster", "disaster; catastrophe", "named storms, floods, earthquakes, crashes and epidemics", "events that cause great damage")
_add("event-election", "election; vote", "elections and referendums", "named votes for an office")
_add("event-other", "event; occasion; other event", "named events such as festivals, fairs and ceremonies", "happenings that have a name")
_add("event-protest", "protest; uprising", "protests, revolts and revolutions", "movements of people against a power")
_add("event-sportsevent", "sports event; competition; tournament", "matches, tournaments, championships and races", "named sporting competitions")
_add("location-bodiesofwater", "body of water; water", "rivers, lakes, seas, bays and creeks", "places filled with water")
_add("location-GPE", "place; geopolitical entity; country or city", "countries, states, cities, towns and villages", "places that have a government")
_add("location-island", "island", "names of islands and archipelagos", "land surrounded by water")
_add("location-mountain", "mountain; peak", "mountains, hills, ranges and valleys", "high ground with a name")
_add("location-other", "location; area; other location", "regions, districts and other named areas", "places that are neither cities nor countries")
_add("location-park", "park; nature reserve", "parks, gardens, forests and reserves", "land kept for nature or leisure")
_add("location-road/railway/highway/transit", "road; route; transit line", "streets, highways, bridges, railway lines and stations", "named ways by which people travel")
_add("organization-company", "company; business; firm", "names of companies and brands", "firms that make or sell things")
_add("organization-education", "school; university; educational institution", "schools, colleges and universities", "institutions where students are taught")
_add("organization-government/governmentagency", "government agency; authority", "ministries, courts, councils, agencies and police forces", "bodies of the state")
_add("organization-media/newspaper", "newspaper; media", "newspapers, magazines, broadcasters and publishers", "organizations that publish news or programmes")
_add("organization-other", "organization; association; other organization", "clubs, unions, army units, charities and societies", "groups of people with a name and a purpose")
_add("organization-politicalparty", "political party; party", "names of political parties", "groups that stand for election")
_add("organization-religion", "religious group; religion", "churches, orders and faiths", "religious organizations and communities")
_add("organization-sportsleague", "sports league; league", "leagues and divisions in which teams play", "named sports leagues and conferences")
_add("organization-sportsteam", "sports team; club; team", "names of teams and clubs in sports", "groups of players who compete together")
_add("other-astronomything", "astronomical thing; celestial body", "stars, planets, moons, comets and galaxies", "objects in space")
_add("other-award", "award; prize", "awards, prizes, medals and titles of honour", "honours that are given to people")
_add("other-biologything", "biological thing; gene or protein", "genes, proteins, cells and body parts", "parts and substances of living bodies")
_add("other-chemicalthing", "chemical thing; chemical", "chemical elements, compounds and materials", "substances known to chemistry")
_add("other-currency", "currency; money", "names of currencies and amounts of money", "what people pay with")
_add("other-disease", "disease; illness", "names of diseases and disorders", "conditions that make people ill")
_add("other-educationaldegree", "educational degree; degree", "academic degrees and diplomas", "titles that students earn")
_add("other-god", "god; deity", "gods, goddesses and mythical beings", "beings that people worship")
_add("other-language", "language", "names of human languages", "what people speak and write")
_add("other-law", "law; treaty", "laws, acts, treaties and constitutions", "named legal texts")
_add("other-livingthing", "living thing; animal or plant", "animals, plants and other species", "kinds of living creatures")
_add("other-medical", "medical thing; treatment", "drugs, treatments and medical devices", "things used in medicine")
_add("person-actor", "actor; performer", "names of actors and actresses", "people who play parts in films or on stage")
_add("person-artist/author", "author; artist", "writers, painters and other artists", "people who create works")
_add("person-athlete", "athlete; player", "people who compete in sports", "names of players and athletes")
_add("person-director", "director; film director", "people who direct films or shows", "names of directors")
_add("person-other", "person; other person", "names of people, real or fictional", "people of any other kind")
_add("person-politician", "politician; ruler", "presidents, ministers, kings and other leaders", "people who hold or seek public office")
_add("person-scholar", "scholar; scientist", "scientists, professors and historians", "people known for learning and research")
_add("person-soldier", "soldier; officer", "soldiers, officers and commanders", "people who serve in an army")
_add("product-airplane", "airplane; aircraft", "names and models of aircraft", "machines that fly")
_add("product-car", "car; vehicle", "makes and models of cars", "motor vehicles for the road")
_add("product-game", "game; video game", "video games, board games and card games", "things that people play")
_add("product-other", "product; other product", "devices, machines and other goods", "things that are made and sold")
_add("product-ship", "ship; vessel", "names of ships and boats", "vessels that sail")
_add("product-software", "software; program", "programs, applications and websites", "what runs on computers")
_add("product-train", "train; locomotive", "trains, locomotives and railway models", "vehicles on rails")
_add("product-weapon", "weapon; arms", "guns, missiles, tanks and other arms", "things made for fighting")
# Coarse labels of Few-NERD: any fine label with this prefix counts.
_add("coarse-person", "person; human; name of a person", "names of people, real or fictional", "any person who is mentioned by name")
_add("coarse-location", "location; place", "places such as cities, countries, rivers and roads", "where something is")
_add("coarse-organization", "organization; institution", "companies, teams, parties, schools and other groups", "groups of people that have a name")
_add("coarse-building", "building; facility", "buildings of any kind, from airports to hospitals", "what has been built for people to use")
_add("coarse-event", "event", "wars, elections, competitions, disasters and other events", "things that happened and have a name")
_add("coarse-product", "product; item", "vehicles, weapons, software and other goods", "things that were designed and made")
# WNUT-17
_add("wnut-person", "person; user", "names of people, real or fictional", "people mentioned in a message")
_add("wnut-location", "location; place", "places, cities, countries and venues", "names of places")
_add("wnut-corporation", "corporation; company", "companies and corporations", "names of businesses")
_add("wnut-group", "group; team", "sports teams, clubs and other groups that are no companies", "named groups of people")
_add("wnut-product", "product; consumer good", "things that can be bought, such as phones and clothes", "named goods and services")
_add("wnut-creative-work", "creative work; title", "titles of songs, films, books and shows", "works that somebody created")
# BC5CDR
_add("Chemical", "chemical; drug; substance", "drugs and other chemical substances", "names of chemicals given to a patient or an animal")
_add("Disease", "disease; disorder; symptom", "diseases, symptoms and side effects", "conditions of ill health")
# CrossNER (Liu et al. 2020): ai, literature, politics, science
_add("algorithm", "algorithm; method", "algorithms, models and methods of machine learning", "procedures that a computer follows")
_add("conference", "conference", "scientific conferences and journals", "meetings of researchers")
_add("field", "field; research field", "fields of research", "areas that researchers work in")
_add("metrics", "metrics; measure", "measures of quality or error", "numbers by which systems are judged")
_add("programlang", "programming language", "names of programming languages", "languages in which programs are written")
_add("researcher", "researcher", "people who do research", "names of computer scientists")
_add("task", "task; problem", "tasks that a system can solve", "problems studied in research")
_add("university", "university", "names of universities", "places of higher education")
_add("product", "product; system", "systems, robots, programs and tools", "named products")
_add("country", "country; nation", "names of countries", "nations of the world")
_add("location", "location; place", "cities, regions and other places", "names of places")
_add("organisation", "organisation; institution", "organisations and institutions", "groups with a name")
_add("person", "person; individual", "names of people", "people of any kind")
_add("event", "event", "named events", "things that took place")
_add("book", "book; novel", "titles of books", "printed works of prose")
_add("literarygenre", "literary genre; genre", "kinds of literature", "forms and styles of writing")
_add("magazine", "magazine; journal", "names of magazines", "periodicals")
_add("poem", "poem; verse", "titles of poems", "works in verse")
_add("writer", "writer; poet", "people who write books or poems", "names of writers")
_add("award", "award; honour", "awards and prizes", "honours given to people or works")
_add("election", "election", "named elections", "votes for a parliament or a president")
_add("politicalparty", "political party", "names of political parties", "parties that stand for election")
_add("politician", "politician", "people in politics", "names of politicians")
_add("academicjournal", "academic journal; journal", "scientific journals", "periodicals in which research appears")
_add("astronomicalobject", "astronomical object", "planets, stars, asteroids and galaxies", "bodies in space")
_add("chemicalcompound", "chemical compound; compound", "chemical compounds", "substances of several elements")
_add("chemicalelement", "chemical element; element", "chemical elements", "substances such as iron and oxygen")
_add("discipline", "discipline; science", "branches of science", "subjects that are taught")
_add("enzyme", "enzyme", "names of enzymes", "proteins that speed up reactions")
_add("protein", "protein", "names of proteins", "large molecules in living cells")
_add("scientist", "scientist", "people who work in science", "names of scientists")
_add("theory", "theory; law", "scientific theories and laws", "explanations accepted in science")

FEW_NERD = [label for label in TYPES if "-" in label and not label.startswith(("wnut", "coarse"))]
INTER_DEV = (
    "location-park art-painting other-currency product-game organization-religion product-train person-scholar "
    "event-other building-other building-library other-chemicalthing person-other"
).split(" ")
_COMMON = "country location organisation person event"
INVENTORIES: dict[str, list[str]] = {
    "few-nerd": FEW_NERD + ["coarse-person", "coarse-location", "coarse-building", "coarse-event"],
    "few-nerd-inter": INTER_DEV,
    "wnut": [label for label in TYPES if label.startswith("wnut-")],
    "bc5cdr": ["Chemical", "Disease"],
    "liu-ai": f"algorithm conference field metrics programlang researcher task university product {_COMMON}".split(" "),
    "liu-literature": f"book literarygenre magazine poem writer award {_COMMON}".split(" "),
    "liu-politics": f"election politicalparty politician {_COMMON}".split(" "),
    "liu-science": (
        "academicjournal astronomicalobject chemicalcompound chemicalelement discipline enzyme protein scientist "
        f"theory university award {_COMMON}"
    ).split(" "),
}


def spans_of(sentence: dict, label: str) -> list[tuple[int, int]]:
    """The word spans of one label (or of a coarse label: all fine labels below it)."""
    if label.startswith("coarse-"):
        prefix = label.removeprefix("coarse-") + "-"
        return [(a, b) for a, b, name in sentence["spans"] if name.startswith(prefix)]
    plain = label.removeprefix("wnut-") if sentence["inventory"] == "wnut" else label
    return [(a, b) for a, b, name in sentence["spans"] if name == plain]
