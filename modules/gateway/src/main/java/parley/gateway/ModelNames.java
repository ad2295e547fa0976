package parley.gateway;

/** What a caller may call a model. Whether there is such a model, its provider knows. */
final class ModelNames {
    private static final int LONGEST = 256;

    private ModelNames() {}

    static boolean isName(String text) {
        return text.length() <= LONGEST && text.chars().noneMatch(Character::isISOControl);
    }

    /** For a model that is none; not repeated, as it may be long. */
    static Problem problem() {
        return Problem.badRequest(
                "model: not a name (expected: at most " + LONGEST + " characters, none of them a control character)");
    }
}
