package parley.provider.simulator;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import parley.protocol.Content;
import parley.protocol.Item;
import parley.protocol.Tool;

/**
 * Decides what to answer, from the newest item and the tools. System messages at the end are read for the first rule
 * only: what they follow is answered, unless they follow nothing. The rules, the first that fits:
 *
 * <ol>
 *   <li>A text with {@code say exactly: …} is answered with just those words, up to the end of the line. The text is the
 *       newest message, or the instructions of the response itself.
 *   <li>The output of a function is told, even when a function is required: otherwise such a session never ends.
 *   <li>A tool choice that names a function, or requires one, is obeyed.
 *   <li>A text that contains a function's name, with underscores or spaces, calls it; so does speech when the
 *       instructions contain {@code call <name> on speech}.
 *   <li>An answer of its own is gone on with: the story where it was left, anything else with a sentence.
 *   <li>A text that asks for something long gets a story of most of a minute; so does speech when the instructions
 *       contain {@code long story on speech}.
 *   <li>Speech is answered with how long it was, a tone also with its pitch, text with what was written.
 * </ol>
 */
final class Answers {

    /** What to do. */
    sealed interface Answer {
        /** Say it, or write it. */
        record Words(String words) implements Answer {}

        /** Ask for a function. */
        record Call(String name, String arguments) implements Answer {}
    }

    private static final Pattern EXACTLY = Pattern.compile("say exactly:[ \\t]*([^\\n]+)", Pattern.CASE_INSENSITIVE);
    private static final Pattern LONG = Pattern.compile(
            "\\blong (story|answer|speech|talk|text|tale)\\b|\\bstory\\b|\\bat length\\b|\\bin detail\\b",
            Pattern.CASE_INSENSITIVE);
    private static final int QUOTED = 300;
    /** Letters of a message that are looked at. */
    private static final int READ = 20_000;

    private static final List<String> ON_SPEECH = List.of(
            "I heard you speak for %s.",
            "You spoke for %s, and I did not understand a word.",
            "That was %s of speech. I only measure, I do not recognise.",
            "I counted %s of your voice.");
    private static final List<String> ON_SILENCE = List.of(
            "I heard nothing but silence. Are you still there?",
            "There is only silence on your side. I am still listening.");

    private static final List<String> GOING_ON = List.of(
            "And as I was saying, I am still here.",
            "As I was saying, please go on.",
            "And, as I was about to say, I am listening.");
    /** Letters by which the place in the story is found again. */
    private static final int REMEMBERED = 24;

    private final int longest;
    private final boolean alwaysLong;
    private int told;

    Answers(SimulatorSettings settings, Switches switches) {
        this.longest = settings.longestAnswer();
        this.alwaysLong = switches.longAnswers();
    }

    /** Never the same words twice in a row for the same question. */
    Answer decide(Asked asked) {
        var newest = topic(asked.context());
        var text = newest == null ? "" : text(newest.item());
        var latest =
                asked.context().isEmpty() ? "" : text(asked.context().getLast().item());
        var exactly = exactly(latest, text, asked.ownInstructions());
        if (exactly != null) return words(exactly);
        if (newest != null && newest.item() instanceof Item.FunctionCallOutput output) {
            return words("The tool " + calledName(asked, output.callId()) + " answered: " + quoted(output.output()));
        }
        var function = function(asked, text, newest);
        if (function != null) return call(function, text);
        if (newest != null && newest.item() instanceof Item.Message said && said.role() == Item.Role.ASSISTANT) {
            return words(goingOn(said));
        }
        if (alwaysLong || LONG.matcher(text).find() || (hears(newest) && wantsStory(asked))) return words(Story.WORDS);
        return words(newest == null ? "Hello. I am a simulator, and I am listening." : reply(newest, text));
    }

    /** What wants an answer. */
    private static @Nullable Entry topic(List<Entry> context) {
        for (var entry : context.reversed()) {
            boolean aside = entry.item() instanceof Item.Message message && message.role() == Item.Role.SYSTEM;
            if (!aside) return entry;
        }
        return context.isEmpty() ? null : context.getLast();
    }

    /** The rest of the story that was begun, or another sentence. */
    private String goingOn(Item.Message said) {
        var words = ownWords(said);
        var last = words.substring(Math.max(0, words.length() - REMEMBERED));
        int place = last.length() < REMEMBERED ? -1 : Story.WORDS.indexOf(last);
        var rest = place < 0 ? "" : Story.WORDS.substring(place + last.length()).replaceFirst("^[\\s.]+", "");
        if (!rest.isEmpty()) return "And as I was saying, " + rest;
        return alwaysLong ? Story.WORDS : GOING_ON.get(told++ % GOING_ON.size());
    }

    private String reply(Entry newest, String text) {
        int turn = told++;
        if (!text.isBlank()) {
            return turn % 2 == 0
                    ? "You wrote: " + quoted(text)
                    : "You wrote: " + quoted(text) + " That makes "
                            + SpokenNumber.of(text.strip().split("\\s+").length) + " words.";
        }
        if (newest.item() instanceof Item.FunctionCall call) {
            return "I called " + call.name().replace('_', ' ') + " and heard nothing.";
        }
        if (newest.speechMillis() == 0) return ON_SILENCE.get(turn % ON_SILENCE.size());
        // In digits, because programs look for it; the voice reads them aloud.
        var pitch = newest.isTone() ? " at " + newest.hertz() + " hertz" : "";
        var measured = SpokenNumber.seconds(newest.speechMillis()) + pitch;
        return String.format(Locale.ROOT, ON_SPEECH.get(turn % ON_SPEECH.size()), measured);
    }

    private Tool.@Nullable Function function(Asked asked, String text, @Nullable Entry newest) {
        var functions = new ArrayList<Tool.Function>();
        for (var tool : asked.tools()) if (tool instanceof Tool.Function function) functions.add(function);
        var choice = asked.toolChoice();
        var named = hears(newest) ? null : mentioned(functions, text, "");
        return switch (choice.mode()) {
            case "none" -> null;
            case "function" ->
                functions.stream()
                        .filter(each -> each.name().equals(choice.name()))
                        .findFirst()
                        .orElse(null);
            case "required" -> named != null || functions.isEmpty() ? named : functions.getFirst();
            default -> hears(newest) ? mentioned(functions, asked.instructions(), " on speech") : named;
        };
    }

    private static Tool.@Nullable Function mentioned(List<Tool.Function> functions, String text, String condition) {
        var plain = text.toLowerCase(Locale.ROOT);
        var before = condition.isEmpty() ? "" : "call ";
        for (var function : functions) {
            var name = function.name().toLowerCase(Locale.ROOT);
            for (var form : List.of(name, name.replace('_', ' '))) {
                var whole = Pattern.compile("(?<!\\w)" + Pattern.quote(before + form + condition) + "(?!\\w)");
                if (whole.matcher(plain).find()) return function;
            }
        }
        return null;
    }

    private static Answer call(Tool.Function function, String text) {
        var schema = function.parameters();
        var arguments = FunctionArguments.fill(schema == null ? MissingNode.getInstance() : schema, text);
        return new Answer.Call(function.name(), arguments.toString());
    }

    private Answer words(String words) {
        if (words.length() <= longest) return new Answer.Words(words);
        int space = words.lastIndexOf(' ', longest);
        return new Answer.Words(words.substring(0, space > 0 ? space : longest));
    }

    private static @Nullable String exactly(String... texts) {
        for (var text : texts) {
            Matcher matcher = EXACTLY.matcher(text);
            if (matcher.find()) return matcher.group(1).strip();
        }
        return null;
    }

    private static String calledName(Asked asked, String callId) {
        for (var entry : asked.context()) {
            if (entry.item() instanceof Item.FunctionCall call && Objects.equals(call.callId(), callId)) {
                return call.name().replace('_', ' ');
            }
        }
        return "you asked";
    }

    private static boolean wantsStory(Asked asked) {
        return asked.instructions().toLowerCase(Locale.ROOT).contains("long story on speech");
    }

    private static boolean hears(@Nullable Entry newest) {
        return newest != null
                && newest.item() instanceof Item.Message message
                && message.content().stream().anyMatch(Content.InputAudio.class::isInstance);
    }

    /** What the assistant said, without the marks that tell that it was stopped. */
    private static String ownWords(Item.Message said) {
        return said.content().stream()
                .map(part -> switch (part) {
                    case Content.OutputText written -> written.text();
                    case Content.OutputAudio spoken -> Objects.requireNonNullElse(spoken.transcript(), "");
                    default -> "";
                })
                .collect(Collectors.joining())
                .replaceAll("[\\s.…-]+$", "");
    }

    private static String text(Item item) {
        if (!(item instanceof Item.Message message) || message.role() == Item.Role.ASSISTANT) return "";
        var text = message.content().stream()
                .map(part -> part instanceof Content.InputText written ? written.text() : "")
                .filter(written -> !written.isBlank())
                .collect(Collectors.joining("\n"));
        return text.length() > READ ? text.substring(0, READ) : text;
    }

    private static String quoted(String text) {
        var line = text.strip().replaceAll("\\s+", " ");
        if (line.length() > QUOTED) line = line.substring(0, QUOTED) + " and so on";
        if (line.isEmpty()) return "nothing.";
        return ".!?".indexOf(line.charAt(line.length() - 1)) < 0 ? line + "." : line;
    }
}
