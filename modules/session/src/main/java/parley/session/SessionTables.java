package parley.session;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parley.session.SessionEvent.AgentCut;
import parley.session.SessionEvent.AgentHeard;
import parley.session.SessionEvent.AgentSaid;
import parley.session.SessionEvent.AnswerBegan;
import parley.session.SessionEvent.AnswerEnded;
import parley.session.SessionEvent.CallerAttached;
import parley.session.SessionEvent.CallerDetached;
import parley.session.SessionEvent.Configured;
import parley.session.SessionEvent.Ended;
import parley.session.SessionEvent.HandedOver;
import parley.session.SessionEvent.Hosted;
import parley.session.SessionEvent.ItemDeleted;
import parley.session.SessionEvent.Opened;
import parley.session.SessionEvent.Spent;
import parley.session.SessionEvent.Told;
import parley.session.SessionEvent.ToolAnswered;
import parley.session.SessionEvent.ToolCalled;
import parley.session.SessionEvent.UpstreamLost;
import parley.session.SessionEvent.UpstreamOpened;
import parley.session.SessionEvent.UserSaid;
import parley.session.SessionEvent.UserTranscribed;

/**
 * The rows that tell of sessions, in the tables of migration 4. Written on a connection that somebody else commits; a fact
 * that is told again changes nothing.
 *
 * <p>Whatever a fact holds has a row: callers and providers choose their names and texts, and one that the database does not
 * take would hold up all that come after it. So no text has the character 0, and a name of more than {@value
 * #LONGEST_NAME} characters, too long for an index, is kept as its hash.
 */
final class SessionTables {
    private static final int LONGEST_NAME = 200;
    private static final String OPENED = """
            INSERT INTO sessions (id, tenant, user_id, face, arm, model, opened, interview)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING""";
    /** An interview is in the session that began last. */
    private static final String INTERVIEW = """
            INSERT INTO interviews (tenant, id, session) VALUES (?, ?, ?)
            ON CONFLICT (tenant, id) DO UPDATE SET session = excluded.session""";

    private static final String HOSTED = "UPDATE sessions SET node = ? WHERE id = ?";
    private static final String TAKEN = "UPDATE sessions SET provider = ?, model = ? WHERE id = ?";
    private static final String ENDED = "UPDATE sessions SET ended = ?, end_reason = ? WHERE id = ? AND ended IS NULL";
    private static final String TURN = """
            INSERT INTO turns (session, item, number, role, at, text, spoken_ms, heard_ms, interrupted)
            SELECT ?, ?, coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, false FROM turns WHERE session = ?
            ON CONFLICT (session, item) DO UPDATE SET role = excluded.role, at = excluded.at, text = excluded.text,
              spoken_ms = excluded.spoken_ms, heard_ms = excluded.heard_ms, interrupted = false""";
    private static final String TRANSCRIBED = "UPDATE turns SET text = ? WHERE session = ? AND item = ?";
    private static final String CUT = """
            UPDATE turns SET heard_ms = least(?, spoken_ms), interrupted = role = 'agent' AND ? < spoken_ms
            WHERE session = ? AND item = ?""";
    private static final String DELETED = "DELETE FROM turns WHERE session = ? AND item = ?";
    private static final String COUNTED =
            "UPDATE sessions SET turns = (SELECT count(*) FROM turns WHERE session = id) WHERE id = ?";
    private static final String COST = """
            INSERT INTO costs (session, event, part, at, day, tenant, source, model, price_version, text_in, text_cached,
              audio_in, audio_cached, image_in, image_cached, text_out, audio_out, transcribed_seconds, cost_micros)
            VALUES (?, ?, ?, ?, ?, coalesce((SELECT tenant FROM sessions WHERE id = ?), 'unknown'), ?, ?, ?, ?, ?, ?, ?, ?,
              ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING""";
    private static final String SUMS = """
            UPDATE sessions SET text_in = text_in + ?, text_cached = text_cached + ?, audio_in = audio_in + ?,
              audio_cached = audio_cached + ?, image_in = image_in + ?, image_cached = image_cached + ?,
              text_out = text_out + ?, audio_out = audio_out + ?, transcribed_seconds = transcribed_seconds + ?,
              cost_usd = cost_usd + ?
            WHERE id = ?""";
    private static final String INTERVIEW_COST = """
            UPDATE interviews SET realtime_cost_usd = realtime_cost_usd + ?
            FROM sessions
            WHERE sessions.id = ? AND (interviews.session = sessions.id
              OR (interviews.tenant = sessions.tenant AND interviews.id = sessions.interview))""";

    private final Connection connection;

    SessionTables(Connection connection) {
        this.connection = connection;
    }

    /** Whether a row tells of it. */
    static boolean tellOf(SessionEvent fact) {
        return switch (fact) {
            case Told e -> e.facts().stream().anyMatch(SessionTables::tellOf);
            case Opened e -> true;
            case Hosted e -> true;
            case UpstreamOpened e -> true;
            case UserSaid e -> true;
            case UserTranscribed e -> true;
            case AgentSaid e -> true;
            case AgentCut e -> true;
            case ToolCalled e -> true;
            case ToolAnswered e -> true;
            case ItemDeleted e -> true;
            case Spent e -> true;
            case Ended e -> true;
            case HandedOver e -> false;
            case CallerAttached e -> false;
            case CallerDetached e -> false;
            case UpstreamLost e -> false;
            case Configured e -> false;
            case AnswerBegan e -> false;
            case AgentHeard e -> false;
            case AnswerEnded e -> false;
            case SessionEvent.Warned e -> false;
        };
    }

    /** @param number of the event in the session's journal */
    void tell(String session, long number, SessionEvent event) throws SQLException {
        boolean turns = false;
        if (event instanceof Told told) {
            for (int part = 0; part < told.facts().size(); part++) {
                turns |= tell(session, number, part, told.facts().get(part));
            }
        } else {
            turns = tell(session, number, 0, event);
        }
        if (turns) {
            run(COUNTED, session);
        }
    }

    /** @return whether it may have changed the number of turns */
    private boolean tell(String session, long number, int part, SessionEvent fact) throws SQLException {
        switch (fact) {
            case Opened e -> opened(session, e);
            case Hosted e ->
                run(HOSTED, name(e.host().substring(0, Math.max(0, e.host().lastIndexOf('/')))), session);
            case UpstreamOpened e -> run(TAKEN, name(e.provider()), name(e.model()), session);
            case UserSaid e -> turn(session, Turn.user(e));
            case UserTranscribed e -> run(TRANSCRIBED, text(e.text()), session, name(e.itemId()));
            case AgentSaid e -> turn(session, Turn.agent(e));
            case AgentCut e -> run(CUT, e.heardMs(), e.heardMs(), session, name(e.itemId()));
            case ToolCalled e -> turn(session, Turn.called(e));
            case ToolAnswered e -> turn(session, Turn.answered(e));
            case ItemDeleted e -> run(DELETED, session, name(e.itemId()));
            case Spent e -> spent(session, number, part, e);
            case Ended e -> run(ENDED, at(e.at()), lower(e.reason()), session);
            case HandedOver e -> {}
            case Told e -> {}
            case CallerAttached e -> {}
            case CallerDetached e -> {}
            case UpstreamLost e -> {}
            case Configured e -> {}
            case AnswerBegan e -> {}
            case AgentHeard e -> {}
            case AnswerEnded e -> {}
            case SessionEvent.Warned e -> {}
        }
        return fact instanceof UserSaid
                || fact instanceof AgentSaid
                || fact instanceof ToolCalled
                || fact instanceof ToolAnswered
                || fact instanceof ItemDeleted;
    }

    private void opened(String session, Opened opened) throws SQLException {
        run(
                OPENED,
                session,
                name(opened.caller().tenant()),
                name(opened.caller().user()),
                lower(opened.face()),
                lower(opened.arm()),
                opened.model() == null ? null : name(opened.model()),
                at(opened.at()),
                opened.interview() == null ? null : name(opened.interview()));
        run(
                INTERVIEW,
                name(opened.caller().tenant()),
                opened.interview() == null ? session : name(opened.interview()),
                session);
    }

    private void turn(String session, Turn turn) throws SQLException {
        run(
                TURN,
                session,
                name(turn.itemId()),
                lower(turn.role()),
                at(turn.at()),
                turn.text() == null ? null : text(turn.text()),
                turn.audioMs(),
                turn.heardMs(),
                session);
    }

    private void spent(String session, long number, int part, Spent spent) throws SQLException {
        var tokens = spent.tokens();
        int added = run(
                COST,
                session,
                number,
                part,
                at(spent.at()),
                spent.at().atOffset(ZoneOffset.UTC).toLocalDate(),
                session,
                name(spent.source()),
                name(spent.model()),
                name(spent.priceVersion()),
                tokens.textIn(),
                tokens.textCached(),
                tokens.audioIn(),
                tokens.audioCached(),
                tokens.imageIn(),
                tokens.imageCached(),
                tokens.textOut(),
                tokens.audioOut(),
                tokens.transcribedSeconds(),
                spent.costMicros());
        if (added == 0) {
            return;
        }
        var usd = BigDecimal.valueOf(spent.costMicros(), 6);
        run(
                SUMS,
                tokens.textIn(),
                tokens.textCached(),
                tokens.audioIn(),
                tokens.audioCached(),
                tokens.imageIn(),
                tokens.imageCached(),
                tokens.textOut(),
                tokens.audioOut(),
                tokens.transcribedSeconds(),
                usd,
                session);
        run(INTERVIEW_COST, usd, session);
    }

    private int run(String sql, @Nullable Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }

    private static java.time.OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static String text(String text) {
        return text.replace('\0', '\ufffd');
    }

    private static String name(String name) {
        var clean = text(name);
        return clean.length() > LONGEST_NAME ? "sha256:" + Secret.hash(clean) : clean;
    }
}
