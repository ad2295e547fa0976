package parley.load.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads every session's transcript and cost from the cluster, and judges each conversation. Blocks. */
public final class Inspection {
    private static final int AT_A_TIME = 8;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int ATTEMPTS = 4;
    private static final Duration BETWEEN = Duration.ofSeconds(2);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Talk talk;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    private Inspection(Talk talk) {
        this.talk = talk;
    }

    /** Judges the conversations of this talk, after everybody has hung up. */
    public static Findings of(Talk talk, Conversations conversations) throws InterruptedException {
        var inspection = new Inspection(talk);
        try (var workers = Executors.newFixedThreadPool(AT_A_TIME)) {
            var judgements = conversations.diaries().stream()
                    .map(diary -> workers.submit(() -> inspection.judge(diary)))
                    .toList();
            var all = new java.util.ArrayList<Judgement>();
            for (var judgement : judgements) all.add(judgement.get());
            return Findings.of(all);
        } catch (ExecutionException bug) {
            throw new IllegalStateException(bug.getCause());
        }
    }

    /** The journal may be a moment behind: what looks wrong is looked at again. */
    private Judgement judge(Diary diary) throws InterruptedException {
        Judgement judgement = Judgement.of(diary, account(diary, 0));
        for (int attempt = 1; attempt < ATTEMPTS && !judgement.isClean(); attempt++) {
            TimeUnit.MILLISECONDS.sleep(BETWEEN.toMillis());
            judgement = Judgement.of(diary, account(diary, attempt));
        }
        return judgement;
    }

    private @Nullable Account account(Diary diary, int attempt) throws InterruptedException {
        var id = diary.sessionId();
        if (id == null) return null;
        try {
            var path = "/v1/sessions/" + id;
            var session = read(diary.caller, attempt, path);
            var transcript = read(diary.caller, attempt, path + "/transcript");
            return session == null || transcript == null ? null : Account.of(session, transcript);
        } catch (IOException unreachable) {
            return null;
        }
    }

    private @Nullable JsonNode read(int caller, int attempt, String path) throws IOException, InterruptedException {
        var node = talk.nodes().get((caller + attempt) % talk.nodes().size());
        var address =
                URI.create("http" + node.toString().substring("ws".length())).resolve(path);
        var answer = http.send(
                HttpRequest.newBuilder(address)
                        .header("Authorization", "Bearer " + talk.tokens().apply(caller))
                        .timeout(PATIENCE)
                        .build(),
                BodyHandlers.ofString());
        return answer.statusCode() == 200 ? JSON.readTree(answer.body()) : null;
    }
}
