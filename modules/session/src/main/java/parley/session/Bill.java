package parley.session;

import java.util.Locale;

/** What was spent, by kind of token, told to the metrics. */
final class Bill {
    /** As they are priced; cached ones are not part of the others. */
    enum Kind {
        TEXT_IN,
        TEXT_IN_CACHED,
        AUDIO_IN,
        AUDIO_IN_CACHED,
        IMAGE_IN,
        IMAGE_IN_CACHED,
        TEXT_OUT,
        AUDIO_OUT,
        /** Audio metered by time: no tokens. */
        TRANSCRIPTION;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private Bill() {}

    /** Counts the tokens of a fact, and what those of each kind cost. */
    static void count(SessionMetrics metrics, Prices prices, String provider, SessionEvent.Spent spent) {
        for (var kind : Kind.values()) {
            var tokens = only(kind, spent.tokens());
            if (!tokens.equals(Tokens.NONE)) {
                metrics.tokens(provider, kind).add(count(kind, spent.tokens()));
                metrics.cost(provider, kind).add(prices.micros(tokens, spent.model(), spent.at()));
            }
        }
    }

    private static long count(Kind kind, Tokens of) {
        return switch (kind) {
            case TEXT_IN -> of.textIn() - of.textCached();
            case TEXT_IN_CACHED -> of.textCached();
            case AUDIO_IN -> of.audioIn() - of.audioCached();
            case AUDIO_IN_CACHED -> of.audioCached();
            case IMAGE_IN -> of.imageIn() - of.imageCached();
            case IMAGE_IN_CACHED -> of.imageCached();
            case TEXT_OUT -> of.textOut();
            case AUDIO_OUT -> of.audioOut();
            case TRANSCRIPTION -> 0;
        };
    }

    private static Tokens only(Kind kind, Tokens of) {
        long count = count(kind, of);
        return switch (kind) {
            case TEXT_IN -> new Tokens(count, 0, 0, 0, 0, 0, 0, 0, 0);
            case TEXT_IN_CACHED -> new Tokens(count, count, 0, 0, 0, 0, 0, 0, 0);
            case AUDIO_IN -> new Tokens(0, 0, count, 0, 0, 0, 0, 0, 0);
            case AUDIO_IN_CACHED -> new Tokens(0, 0, count, count, 0, 0, 0, 0, 0);
            case IMAGE_IN -> new Tokens(0, 0, 0, 0, count, 0, 0, 0, 0);
            case IMAGE_IN_CACHED -> new Tokens(0, 0, 0, 0, count, count, 0, 0, 0);
            case TEXT_OUT -> new Tokens(0, 0, 0, 0, 0, 0, count, 0, 0);
            case AUDIO_OUT -> new Tokens(0, 0, 0, 0, 0, 0, 0, count, 0);
            case TRANSCRIPTION -> new Tokens(0, 0, 0, 0, 0, 0, 0, 0, of.transcribedSeconds());
        };
    }
}
