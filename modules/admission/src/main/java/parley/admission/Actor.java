package parley.admission;

/**
 * Who did something to the rollout.
 *
 * @param type {@code user}, {@code token}, {@code guardrail}, {@code schedule} or {@code environment}
 * @param id the operator's name, or what acted
 * @param role what it was entitled to it by
 * @param via {@code ui}, {@code api}, {@code cli} or {@code node}
 */
public record Actor(String type, String id, String role, String via) {
    private static final String GUARDRAIL = "guardrail";

    /** The rollout itself: its clock. */
    static final Actor SCHEDULE = new Actor("schedule", "plan", "", "node");

    static Actor guardrail(String id) {
        return new Actor(GUARDRAIL, id, "", "node");
    }

    boolean byGuardrail() {
        return type.equals(GUARDRAIL);
    }
}
