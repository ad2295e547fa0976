package parley.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Tokens that one response used. OpenAI Realtime reference, {@code response.done.response.usage}. Reported and billed
 * for cancelled responses, too.
 *
 * @param inputTokenDetails null when the provider does not tell
 * @param outputTokenDetails null when the provider does not tell
 */
public record Usage(
        long totalTokens,
        long inputTokens,
        long outputTokens,
        @Nullable InputTokenDetails inputTokenDetails,
        @Nullable OutputTokenDetails outputTokenDetails) {

    /**
     * What came in, by kind; counts the provider leaves out are 0.
     *
     * @param cachedTokens the part of the input that was cached, contained in the other counts
     * @param cachedTokensDetails null when the provider does not tell
     */
    public record InputTokenDetails(
            long textTokens,
            long audioTokens,
            long imageTokens,
            long cachedTokens,
            @Nullable CachedTokensDetails cachedTokensDetails) {

        /**
         * The cached tokens by kind. When the provider does not tell, they count as text as far as there is text, then
         * as audio, then as images: the text discount is the smaller one, so this never understates a cost.
         */
        public CachedTokensDetails cached() {
            if (cachedTokensDetails != null) return cachedTokensDetails;
            long text = Math.min(cachedTokens, textTokens);
            long audio = Math.min(cachedTokens - text, audioTokens);
            return new CachedTokensDetails(text, audio, Math.min(cachedTokens - text - audio, imageTokens));
        }
    }

    /** Cached input by kind: a subset of the counts of {@link InputTokenDetails}. */
    public record CachedTokensDetails(long textTokens, long audioTokens, long imageTokens) {}

    /** What went out, by kind. */
    public record OutputTokenDetails(long textTokens, long audioTokens) {}
}
