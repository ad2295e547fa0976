package parley.load;

import java.util.Locale;

/** How the callers behave once they are connected. */
enum Mode {
    /** Every frame is answered by a delta with the same audio; frames are followed one by one. */
    DUPLEX("simulator:echo=true"),
    /** Speaks a sentence, waits for the answer, listens to its end, and speaks again. */
    TURN("simulator"),
    /** Is connected and sends nothing. */
    IDLE("simulator");

    private final String model;

    Mode(String model) {
        this.model = model;
    }

    /** The model asked for when the command line names none. */
    String model() {
        return model;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
