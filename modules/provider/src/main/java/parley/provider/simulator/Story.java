package parley.provider.simulator;

/** Something long to say: most of a minute of speech, for whoever wants to interrupt it. */
final class Story {

    static final String WORDS =
            "Once upon a time there was a lighthouse keeper who lived at the edge of a grey and patient"
                    + " sea. Every evening he climbed two hundred steps, lit the great lamp, and counted the ships that went by."
                    + " One night the fog came in so thick that no ship could see the light. The keeper took an old brass bell,"
                    + " carried it to the top of the tower, and rang it once for every minute of the dark. Far out on the water a"
                    + " captain heard the bell, turned her wheel, and missed the rocks by the length of one small boat. In the"
                    + " morning the fog was gone, and the captain rowed ashore to say thank you. She found the keeper asleep"
                    + " beside the bell, with the rope still in his hand. They had tea, and bread with honey, and they talked until"
                    + " the lamp had to be lit again. From that day on every ship that passed the lighthouse rang its bell, and"
                    + " the keeper always answered. That is the whole story, and it is exactly as long as it needs to be.";

    private Story() {}
}
