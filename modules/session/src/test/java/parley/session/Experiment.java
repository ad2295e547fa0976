package parley.session;

/** The start and the end of what {@code scripts/measure-scale} runs. */
interface Experiment {
    /** @throws IllegalArgumentException naming the arguments and what was expected */
    void run(String[] arguments) throws Exception;

    /** Ends the process, with 1 when it failed: actor systems would keep one alive whose experiment has. */
    static void runToTheEnd(Experiment experiment, String[] arguments) {
        int code = 1;
        try {
            experiment.run(arguments);
            code = 0;
        } catch (Exception failed) {
            System.err.println(failed);
        }
        System.exit(code);
    }
}
