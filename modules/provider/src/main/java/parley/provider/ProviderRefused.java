package parley.provider;

/**
 * A provider did not take a conversation.
 *
 * <p>Carries what the caller may know: the code and message are the provider's own where it gave some, and never hold a
 * key or an address.
 */
public final class ProviderRefused extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final String code;
    private final boolean retryable;

    /**
     * @param code as in {@code error.code} of the realtime protocol
     * @param retryable whether the same call may work later
     */
    public ProviderRefused(String code, String message, boolean retryable) {
        super(message, null, false, false);
        this.code = code;
        this.retryable = retryable;
    }

    /** The refusal behind a failed dial; anything else is a provider that cannot be reached. */
    public static ProviderRefused of(Throwable failure) {
        var cause = failure instanceof java.util.concurrent.CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
        return cause instanceof ProviderRefused refused
                ? refused
                : new ProviderRefused("upstream_unavailable", "the provider cannot be reached", true);
    }

    public String code() {
        return code;
    }

    public boolean retryable() {
        return retryable;
    }
}
