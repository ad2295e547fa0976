package parley.provider.simulator;

import java.util.concurrent.CompletionStage;
import parley.protocol.AudioFormat;

/** Turns words into sound. Any thread may ask; the answer comes on any thread. */
@FunctionalInterface
interface Speech {

    /**
     * What is to be said, how, and as what kind of bytes.
     *
     * @param voice a name; different names sound different, and none is better than another
     * @param speed 1 is the natural pace
     */
    record Phrase(String words, String voice, double speed, AudioFormat format) {}

    /** Audible speech that says exactly the words of the phrase. Nobody may write to the array. */
    CompletionStage<byte[]> say(Phrase phrase);
}
