/*
The dashboards, as scripts/monitoring make writes them to dashboards/*.json. Edit here.

A panel is [title, what to do, unit, queries, options]; a query is [expression, legend]. In expressions:
  @         the chosen cluster and nodes, inside braces
  [r]       a rate's window that fits the zoom
*/

const SCOPE = 'job="parley",cluster=~"$cluster",instance=~"$node"';

const variables = [
  variable('cluster', 'label_values(up{job="parley"}, cluster)'),
  variable('node', 'label_values(up{job="parley",cluster=~"$cluster"}, instance)'),
  variable('provider', 'label_values(voice_provider_state{cluster=~"$cluster"}, provider)'),
  variable('arm', 'label_values(voice_session_outcomes_total{cluster=~"$cluster"}, arm)'),
];

const GREEN = '#56a64b', YELLOW = '#f2cc0c', RED = '#e02f44';

/** Green below the first, yellow below the second, red above; the other way round when more is better. */
const bad = (yellow, red) => [[null, GREEN], [yellow, YELLOW], [red, RED]];
const good = (yellow, green) => [[null, RED], [yellow, YELLOW], [green, GREEN]];

export const dashboards = {
  'parley-overview': dashboard('Parley: overview', 'parley-overview', `
**Is it us?** The first row says what callers notice. Red there: open the alert's section in *docs/runbooks.md*, and
*docs/incidents.md* for how to stop the harm. Did it begin at a blue line (a change of the rollout)? Roll that back first.
Choose a *node* to compare a canary with the rest.`, [
    row('What callers notice'),
    stat('Connection success', 'Sessions that began, of those that were let in, last 10 minutes. Below 99 % the budget burns; below 90 % the release is taken back. Runbook: ConnectionSuccessLow.', 'percentunit', [
      ['1 - sum(avg_over_time(cluster:voice_connections_failed:rate5m{cluster=~"$cluster"}[10m])) / (sum(avg_over_time(cluster:voice_connections:rate5m{cluster=~"$cluster"}[10m])) > 0) or on () vector(1)', ''],
    ], { thresholds: good(0.9, 0.99), decimals: 2 }),
    stat('First audio P95', 'From an answer being due to its first audio. Aim 0.8 s; over 3 s the release is taken back. Runbook: FirstAudioSlow.', 's', [
      ['max(cluster:voice_ttfa_seconds:p95_5m{cluster=~"$cluster"}) or on () vector(0)', ''],
    ], { thresholds: bad(0.8, 3) }),
    stat('Sessions that ended by a fault', 'Share, last 10 minutes. Aim 0.5 %; over 5 % the release is taken back. Runbook: ErrorRateHigh.', 'percentunit', [
      [share('voice_session_outcomes_total{signal="error",result="failed",arm=~"$arm",@}', 'voice_session_outcomes_total{signal="error",arm=~"$arm",@}', '10m'), ''],
    ], { thresholds: bad(0.01, 0.05), decimals: 2 }),
    stat('Conversations now', 'With or without their caller on the line. None at a busy hour: is voice switched off (next row)?', 'short', [
      ['sum(voice_sessions_active{@})', ''],
    ]),
    stat('Budget left: connection', 'Of what may fail in 30 days. Below half: no stage by hand; none left: the rollout is paused. docs/slo.md.', 'percentunit', [
      ['1 - max(cluster:voice_connections_failed:ratio30d{cluster=~"$cluster"} >= 0) / 0.01 or on () vector(1)', ''],
    ], { thresholds: good(0.25, 0.5), decimals: 1 }),
    stat('Budget left: first audio', 'Of the answers that may begin later than 0.8 s in 30 days. docs/slo.md.', 'percentunit', [
      ['1 - max(cluster:voice_answers_slow:ratio30d{cluster=~"$cluster"} >= 0) / 0.05 or on () vector(1)', ''],
    ], { thresholds: good(0.25, 0.5), decimals: 1 }),

    row('Is it on, is it there'),
    stat('Voice', 'OFF: somebody threw the kill switch: GET /admin/rollout says who and why. Runbook: KillActive.', 'short', [
      ['max(voice_kill_active{@})', ''],
    ], { thresholds: bad(0.5, 0.5), mappings: { 0: 'on', 1: 'OFF' } }),
    stat('Users that get voice', 'The rollout\'s percentage.', 'percent', [['max(voice_rollout_percentage{@})', '']]),
    stat('Nodes ready', 'Fewer than you run: runbook NodeDown, NodeNotReady.', 'short', [['sum(voice_node_ready{@})', '']]),
    stat('Journal', 'down: runbook JournalDown, at once: conversations end after 60 s.', 'short', [
      ['min(voice_journal_up{@})', ''],
    ], { thresholds: good(0.5, 0.5), mappings: { 0: 'down', 1: 'up' } }),
    stat('Places taken', 'On the fullest node. Over 80 %: one more node. Runbook: NearCapacity.', 'percentunit', [
      ['max(voice_active_sessions{@} / voice_max_sessions{@})', ''],
    ], { thresholds: bad(0.8, 0.95) }),
    stat('Alerts firing', 'Their runbooks: docs/runbooks.md.', 'short', [
      ['count(ALERTS{alertstate="firing",cluster=~"$cluster|"}) or on () vector(0)', ''],
    ], { thresholds: bad(1, 3) }),

    row('RED: rate, errors, duration, by arm'),
    graph('Sessions that began or failed to, a minute', 'A step down with the same calls refused: admission (next panel). A rise of failed: runbook ConnectionSuccessLow.', 'short', [
      ['60 * sum by (arm, result) (rate(voice_session_outcomes_total{signal=~"creation|connection",arm=~"$arm",@}[r]))', '{{arm}} {{result}}'],
    ]),
    graph('Connection success', 'By arm: one arm alone falls, it is the release; both, it is shared. Guardrail: 90 %.', 'percentunit', [
      ['sum by (arm) (rate(voice_session_outcomes_total{signal="connection",result="ok",arm=~"$arm",@}[r])) / sum by (arm) (rate(voice_session_outcomes_total{signal="connection",arm=~"$arm",@}[r]))', '{{arm}}'],
    ], { min: 0, max: 1, lines: bad(0.9, 0.9) }),
    graph('Time to first audio', 'P50 aim 0.4 s, P95 aim 0.8 s. One provider alone: dashboard "Parley: providers". Runbook: FirstAudioSlow.', 's', [
      [quantile(0.5, 'voice_ttfa_seconds', 'arm', 'arm=~"$arm",provider=~"$provider"'), 'P50 {{arm}}'],
      [quantile(0.95, 'voice_ttfa_seconds', 'arm', 'arm=~"$arm",provider=~"$provider"'), 'P95 {{arm}}'],
      [quantile(0.99, 'voice_ttfa_seconds', 'arm', 'arm=~"$arm",provider=~"$provider"'), 'P99 {{arm}}'],
    ]),
    graph('Sessions by how they ended, a minute', 'provider_lost: runbook ProviderDown. journal_lost: JournalDown. budget: MonthlyBudgetSpent. killed: KillActive.', 'short', [
      ['60 * sum by (end) (rate(voice_sessions_ended_total{arm=~"$arm",@}[r]))', '{{end}}'],
    ], { stack: true }),
    graph('Who was refused, a minute', 'capacity: more nodes. session_unavailable: JournalDown. unauthenticated: CredentialsRefused. not_in_rollout: as planned.', 'short', [
      ['60 * sum by (reason) (rate(voice_session_attempts_total{result="refused",@}[r]))', '{{reason}}'],
    ], { stack: true }),
    graph('HTTP answers, a minute', '5xx but 503: a fault, runbook ServerErrorsHigh. 401: CredentialsRefused. 429: rates and quotas.', 'short', [
      ['60 * sum by (status) (rate(http_requests_total{@}[r]))', '{{status}}'],
    ], { stack: true }),
    graph('How fast budgets burn', '1: used up in just 30 days. A page at 14.4 within an hour or 6 within six. docs/slo.md.', 'short', [
      ['max(cluster:voice_connections_failed:ratio1h{cluster=~"$cluster"} >= 0) / 0.01 or on () vector(0)', 'connection, 1 h'],
      ['max(cluster:voice_connections_failed:ratio6h{cluster=~"$cluster"} >= 0) / 0.01 or on () vector(0)', 'connection, 6 h'],
      ['max(cluster:voice_answers_slow:ratio1h{cluster=~"$cluster"} >= 0) / 0.05 or on () vector(0)', 'first audio, 1 h'],
      ['max(cluster:voice_answers_slow:ratio6h{cluster=~"$cluster"} >= 0) / 0.05 or on () vector(0)', 'first audio, 6 h'],
    ], { lines: bad(6, 14.4) }),
    graph('Conversations by node', 'Uneven for long: a new node fills only with new sessions. One falls to 0: runbook NodeDown.', 'short', [
      ['sum by (instance) (voice_sessions_active{@})', '{{instance}}'],
    ], { stack: true }),
  ]),

  'parley-sessions': dashboard('Parley: sessions and turns', 'parley-sessions', `
What happens inside conversations. **Slow?** Compare *received* with *sent*: what lies between is ours, what comes before is
the provider's. **Broken off?** Look at *Moves* and *Coming back*.`, [
    row('Sessions'),
    graph('By phase', 'opening grows: no provider answers, runbook ProviderDown. away grows: callers lost their connection, their network or a proxy.', 'short', [
      ['sum by (phase) (voice_sessions{arm=~"$arm",provider=~"$provider|none",@}) or on () vector(0)', '{{phase}}'],
    ], { stack: true }),
    graph('By face', 'Which clients. Connections without a session: being refused or opened.', 'short', [
      ['sum by (face) (voice_connections{@})', '{{face}}'],
    ], { stack: true }),
    graph('How long they last', 'P50 falls with the same number: they break off early.', 's', [
      [quantile(0.5, 'voice_session_seconds', 'arm', 'arm=~"$arm"'), 'P50 {{arm}}'],
      [quantile(0.95, 'voice_session_seconds', 'arm', 'arm=~"$arm"'), 'P95 {{arm}}'],
    ]),
    graph('Started and ended by tenant, a minute', 'One tenant alone fails: its client, its network. docs/troubleshooting.md.', 'short', [
      ['60 * sum by (tenant_id, status) (rate(voice_sessions_total{@}[r]))', '{{tenant_id}} {{status}}'],
    ]),
    row('Turns'),
    graph('After the caller has spoken', 'received: the provider\'s part. sent minus received: ours. Runbook: FirstAudioSlow.', 's', [
      [quantile(0.5, 'voice_turn_latency_seconds', 'stage', 'arm=~"$arm"'), 'P50 {{stage}}'],
      [quantile(0.95, 'voice_turn_latency_seconds', 'stage', 'arm=~"$arm"'), 'P95 {{stage}}'],
    ]),
    graph('First token, first words heard, barge-in: P95', 'Aims: first_token 0.3 s, partial_asr 0.15 s, barge_in 0.05 s.', 's', [
      [quantile(0.95, 'voice_latency_seconds', 'type'), '{{type}}'],
    ]),
    graph('Answers, a minute', 'failed grows: runbook AnswersFailing. cancelled: callers interrupt.', 'short', [
      ['60 * sum by (outcome) (rate(voice_answers_total{arm=~"$arm",@}[r]))', '{{outcome}}'],
    ], { stack: true }),
    graph('Barge-in', 'From the provider hearing the caller until nothing stale leaves. Aim 50 ms. Runbook: BargeInSlow.', 's', [
      [quantile(0.95, 'voice_barge_in_seconds'), 'P95'],
      [quantile(0.99, 'voice_barge_in_seconds'), 'P99'],
    ], { lines: bad(0.05, 0.05) }),
    graph('Barge-ins, a minute', 'Many more than before: answers are too long, or an echo is taken for the caller.', 'short', [
      ['60 * sum(rate(voice_barge_ins_total{@}[r]))', 'barge-ins'],
    ]),
    graph('Tools, a minute', 'failed: a timeout is one. Take a broken tool out: parley.tool.enabled.', 'short', [
      ['60 * sum by (tool, outcome) (rate(voice_tool_calls_total{@}[r]))', '{{tool}} {{outcome}}'],
    ]),
    graph('Tools, P95', 'Aim: below 5 s on average; a hung one times out.', 's', [
      [quantile(0.95, 'voice_tool_seconds', 'tool'), '{{tool}}'],
    ]),
    row('Coming back and moving'),
    graph('Coming back, a minute', 'recovered: got all they missed. Many others: runbook ResumeFailuresHigh.', 'short', [
      ['60 * sum by (outcome) (rate(voice_resumes_total{@}[r]))', '{{outcome}}'],
    ], { stack: true }),
    graph('Moves, a minute', 'drain: a deployment. crash: a node died. age_limit: a provider\'s line became old, usual.', 'short', [
      ['60 * sum by (cause, outcome) (rate(voice_session_handovers_total{@}[r]))', '{{cause}} {{outcome}}'],
    ], { stack: true }),
    graph('How long a caller had no session behind its line', 'A pause that is heard. Aim P99 1.5 s in a deployment, 8 s after a crash.', 's', [
      [quantile(0.5, 'voice_session_handover_seconds'), 'P50'],
      [quantile(0.99, 'voice_session_handover_seconds'), 'P99'],
    ]),
    graph('Sessions sought again, replayed events, a minute', 'failed: callers were sent away with 1012. fenced: another node has the session; after a partition only.', 'short', [
      ['60 * sum by (outcome) (rate(voice_relinks_total{@}[r]))', 'sought: {{outcome}}'],
      ['60 * sum(rate(voice_events_replayed_total{@}[r]))', 'events replayed'],
      ['60 * sum(rate(voice_sessions_fenced_total{@}[r]))', 'fenced'],
    ]),
    row('Audio and connections'),
    graph('Frames, a second', 'in stops while out goes on: microphones are off. Both stop: look at "What callers notice".', 'short', [
      ['sum by (direction) (rate(voice_frames_total{@}[r]))', '{{direction}}'],
    ]),
    graph('Audio dropped, seconds a second', 'barge_in is meant to be. provider_slow, relink: words are missing, runbook AudioDropped.', 's', [
      ['sum by (direction, cause) (rate(voice_audio_dropped_seconds_total{@}[r]))', '{{direction}} {{cause}}'],
    ]),
    graph('Frames dropped, a second', 'rate: a client sends too fast. malformed: a broken client. nobody: strict callers who are away.', 'short', [
      ['sum by (direction, cause) (rate(voice_frames_dropped_total{@}[r]))', '{{direction}} {{cause}}'],
    ]),
    graph('Closed, a minute', '1000 good. 1006: network or a proxy. 1008: credentials. 1012: a node leaves. 1013: no room or no provider. 4500: budget. 4503: off.', 'short', [
      ['60 * sum by (code, initiator) (rate(voice_websocket_closes_total{@}[r])) or on () vector(0)', '{{code}} by {{initiator}}'],
    ], { stack: true }),
    graph('Callers\' network: ping to pong', 'Over 0.5 s they hear gaps whatever we do.', 's', [
      [quantile(0.5, 'voice_websocket_ping_pong_seconds'), 'P50'],
      [quantile(0.95, 'voice_websocket_ping_pong_seconds'), 'P95'],
    ]),
    graph('Fullest buffer', 'Near 100 % for long: a caller or the provider does not read. Runbook: BuffersNearlyFull.', 'percentunit', [
      ['max by (buffer) (voice_buffer_fullest_ratio{@})', '{{buffer}}'],
    ], { min: 0, max: 1, lines: bad(0.9, 0.9) }),
    graph('Frames waiting', 'Of all conversations. Grows with the sessions only: fine.', 'short', [
      ['sum by (buffer) (voice_buffer_frames{@})', '{{buffer}}'],
    ]),
  ]),

  'parley-rollout': dashboard('Parley: rollout and guardrails', 'parley-rollout', `
**May it go on?** Every guardrail green with enough sessions, *Score* far from its limit, the arms alike. **Take it back**:
\`POST /admin/rollout/rollback\`, or the admin page. *rolled_back* latches: going on needs a reason. docs/rollout.md.`, [
    row('State'),
    stat('State', 'holding: no proof in time. suspended: trouble that all share. rolled_back: read the history\'s last line.', 'short', [
      ['max by (state) (voice_rollout_state{@}) == 1', '{{state}}'],
    ], { text: 'name' }),
    stat('Percentage', 'Of users.', 'percent', [['max(voice_rollout_percentage{@})', '']]),
    stat('Stage', 'Of the plan, from 0; -1: none.', 'short', [['max(voice_rollout_step{@})', '']]),
    stat('Revision', 'The newest that is known.', 'short', [['max(voice_rollout_revision{@})', '']]),
    stat('Nodes disagree by', 'Above 0 for 30 s: runbook RolloutRevisionDiverged.', 'short', [
      ['max(voice_rollout_revision_applied{@}) - min(voice_rollout_revision_applied{@})', ''],
    ], { thresholds: bad(1, 1) }),
    stat('Kill switch', 'OFF: voice is off for everybody. Runbook: KillActive.', 'short', [
      ['max(voice_kill_active{@})', ''],
    ], { thresholds: bad(0.5, 0.5), mappings: { 0: 'not thrown', 1: 'OFF' } }),
    row('Guardrails'),
    graph('Score of its limit', '1 trips. Climbs: look at what it counts before it does. Resets at each stage.', 'percentunit', [
      ['max by (guardrail) (voice_guardrail_score{@}) / max by (guardrail) (voice_guardrail_limit{@})', '{{guardrail}}'],
    ], { min: 0, max: 1.2, lines: bad(0.7, 1) }),
    graph('Observed share of failures', 'Bounds: connection_success and session_creation 10 %, the others 5 %.', 'percentunit', [
      ['max by (guardrail) (voice_guardrail_observed_ratio{@}) or on () vector(0)', '{{guardrail}}'],
    ], { min: 0 }),
    graph('Sessions it has counted', '29 clean ones prove 10 %, 59 prove 5 %. Does not grow: runbook RolloutNoData.', 'short', [
      ['max by (guardrail, arm) (voice_guardrail_samples{@})', '{{guardrail}} {{arm}}'],
    ]),
    table('Verdicts', 'fail acts unless it only observes. no_data, error, inconclusive: neither promotes nor rolls back.', [
      ['max by (guardrail, verdict) (voice_guardrail_verdict{@}) == 1', ''],
    ], ['guardrail', 'verdict']),
    row('Arms side by side'),
    graph('Failed sessions by signal', 'One arm alone: the release. Both: shared, it is suspended instead.', 'percentunit', [
      ['sum by (arm, signal) (rate(voice_session_outcomes_total{result="failed",arm=~"$arm",@}[r])) / sum by (arm, signal) (rate(voice_session_outcomes_total{arm=~"$arm",@}[r]))', '{{arm}} {{signal}}'],
    ], { min: 0 }),
    graph('Decisions, a minute', 'bucket: by percentage. suspended, switched_off, killed: nobody gets in.', 'short', [
      ['60 * sum by (arm, reason) (rate(voice_flag_evaluations_total{arm=~"$arm",@}[r]))', '{{arm}} {{reason}}'],
    ], { stack: true }),
    graph('Changes, a day', 'By whom: guardrail acts by itself; schedule promotes by plan.', 'short', [
      ['max by (from, to, cause) (increase(voice_rollout_transitions_total{@}[1d])) or on () vector(0)', '{{from}} → {{to}} by {{cause}}'],
    ]),
    graph('Time in each state, share', 'Long holding or suspended: why? The history says.', 'percentunit', [
      ['max by (state) (rate(voice_rollout_state_seconds_total{@}[r]))', '{{state}}'],
    ], { stack: true }),
    row('How far it is known'),
    graph('Revision by node', 'One behind: runbook RolloutRevisionDiverged.', 'short', [
      ['voice_rollout_revision_applied{@}', '{{instance}}'],
    ]),
    graph('Alone since', 'A node that does not reach the majority decides by what it knew. Runbook: FlagStateStale.', 's', [
      ['voice_flag_state_age_seconds{@}', '{{instance}}'],
    ]),
    graph('Kill switch: until all knew', 'Aim 0.25 s. Runbook: KillSlow.', 's', [
      [quantile(0.99, 'voice_kill_propagation_seconds', '', '', '1d'), 'P99 of a day'],
    ]),
    graph('Outcomes on their way to the controller', 'Grows: it cannot be reached. lost: the guardrails see too little. Runbook: OutcomesLost.', 'short', [
      ['sum(voice_outcomes_unsent{@})', 'unsent'],
      ['sum(increase(voice_outcomes_lost_total{@}[r]))', 'lost'],
    ]),
    graph('Probes', 'simulator fails: it is us. provider fails: it is the provider or the way to it. Runbook: ProbeFailing.', 'short', [
      ['min by (target) (voice_probe_success{@})', '{{target}}'],
    ], { min: 0, max: 1 }),
    graph('Probes: how long', 'What a caller would have waited.', 's', [
      [quantile(0.95, 'voice_probe_seconds', 'target'), '{{target}}'],
    ]),
  ]),

  'parley-cost': dashboard('Parley: cost', 'parley-cost', `
**Too much?** One session: end it. One tenant: bound it. All: which kind grew? docs/cost.md has what helps for each. The
provider's bill is the truth; this is what nodes counted since they started.`, [
    row('The month'),
    stat('Spent of the budget', '80 %: tell who owns it. 100 %: nobody new gets voice. Runbook: MonthlyBudgetNearlySpent.', 'percentunit', [
      ['max(voice_budget_spent_usd{@} / voice_budget_usd{@}) or on () vector(0)', ''],
    ], { thresholds: bad(0.8, 1) }),
    stat('Left', 'Of the month\'s budget. No data: there is none, nothing bounds what is spent.', 'currencyUSD', [['min(voice_budget_remaining_usd{@})', '']]),
    stat('Month at this rate', 'If the last day were every day of 30.', 'currencyUSD', [
      ['30 * 86400 * sum(avg_over_time(cluster:voice_cost_usd:rate5m{cluster=~"$cluster"}[1d]))', ''],
    ]),
    stat('A session', 'Average of a day. Aim below 5 USD, look at it at 10. Runbook: SessionCostAboveTarget.', 'currencyUSD', [
      ['sum(increase(voice_session_cost_usd_sum{@}[1d])) / (sum(increase(voice_session_cost_usd_count{@}[1d])) > 0) or on () vector(0)', ''],
    ], { thresholds: bad(5, 10), decimals: 2 }),
    stat('Sessions that reached a limit, a day', 'alert 10 USD, cap 15 USD, budget: the shared one. Runbook: SessionCostCapReached.', 'short', [
      ['sum by (limit) (increase(voice_cost_limits_total{@}[1d]))', '{{limit}}'],
    ], { decimals: 0 }),
    row('What for'),
    graph('Dollars an hour by kind', 'The kind that grew says what helps: docs/cost.md.', 'currencyUSD', [
      ['3600 * sum by (kind) (rate(voice_cost_usd_total{provider=~"$provider",@}[r]))', '{{kind}}'],
    ], { stack: true }),
    graph('Dollars an hour by provider', 'A fallback that is dearer shows here.', 'currencyUSD', [
      ['3600 * sum by (provider) (rate(voice_cost_usd_total{provider=~"$provider",@}[r]))', '{{provider}}'],
    ], { stack: true }),
    graph('Dollars a session', 'P95 rises alone: a few long ones. P50 as well: a price, a prompt, a model.', 'currencyUSD', [
      [quantile(0.5, 'voice_session_cost_usd', '', '', '1h'), 'P50'],
      [quantile(0.95, 'voice_session_cost_usd', '', '', '1h'), 'P95'],
    ], { lines: bad(5, 10) }),
    graph('Tokens, a second', 'audio_in_cached small beside audio_in: the prompt changes with each turn.', 'short', [
      ['sum by (kind) (rate(voice_tokens_total{provider=~"$provider",@}[r]))', '{{kind}}'],
    ], { stack: true }),
    graph('Dollars an hour of conversation', 'Cost by what it carries: rises only when prices, prompts or models change.', 'currencyUSD', [
      ['3600 * sum(rate(voice_cost_usd_total{provider=~"$provider",@}[r])) / (sum(voice_sessions_active{@}) > 0) or on () vector(0)', 'USD'],
    ]),
    graph('Quotas, a minute', 'refused: users that began enough. unanswered: the journal or the cluster is slow.', 'short', [
      ['60 * sum(rate(voice_quota_refused_total{@}[r]))', 'refused'],
      ['60 * sum(rate(voice_quota_unanswered_total{@}[r]))', 'unanswered'],
    ]),
  ]),

  'parley-cluster': dashboard('Parley: cluster and JVM', 'parley-cluster', `
Resources: *utilization*, *saturation*, *errors* of each node. One node differs: SIGTERM to it, its sessions move. All differ: the
load, the database, or a release.`, [
    row('USE: processor'),
    graph('Processor', 'Over 70 % for 15 minutes: one more node. Runbook: ProcessorBusy. A loop is one thread: at 100 % its callers wait, whatever the node has left.', 'percentunit', [
      ['sum by (instance) (rate(process_cpu_seconds_total{@}[r])) / sum by (instance) (jvm_cpus{@})', '{{instance}}'],
      ['voice_event_loop_busy_ratio{@}', '{{instance}} busiest loop'],
    ], { min: 0, max: 1, lines: bad(0.7, 0.9) }),
    graph('Event loop: how late', 'Over 0.25 s something blocks, or the processor is full. Runbook: EventLoopLate.', 's', [
      ['voice_event_loop_delay_seconds{@}', '{{instance}}'],
    ], { lines: bad(0.05, 0.25) }),
    graph('Errors and warnings logged, a minute', 'Read the log of that node. Runbook: ErrorsLogged.', 'short', [
      ['60 * sum by (instance, level) (rate(voice_log_events_total{@}[r]))', '{{instance}} {{level}}'],
    ]),
    row('USE: memory'),
    graph('Heap', 'Its lowest points rise for days: a leak. Runbook: HeapNearlyFull.', 'bytes', [
      ['sum by (instance) (jvm_memory_used_bytes{area="heap",@})', '{{instance}} used'],
      ['sum by (instance) (jvm_memory_max_bytes{area="heap",@})', '{{instance}} max'],
    ]),
    graph('Resident, and buffers of sockets', 'Resident grows while the heap does not: buffers, threads, or a native leak.', 'bytes', [
      ['sum by (instance) (process_resident_memory_bytes{@})', '{{instance}} resident'],
      ['sum by (instance) (voice_direct_memory_bytes{@})', '{{instance}} buffers'],
    ]),
    graph('Time spent collecting garbage', 'Over 10 %: runbook GarbageCollectionLong.', 'percentunit', [
      ['sum by (instance) (rate(jvm_gc_collection_seconds_total{@}[r]))', '{{instance}}'],
    ], { min: 0, lines: bad(0.05, 0.1) }),
    row('USE: connections'),
    graph('Places taken', 'Over 80 %: one more node. Runbook: NearCapacity.', 'percentunit', [
      ['voice_active_sessions{@} / voice_max_sessions{@}', '{{instance}}'],
    ], { min: 0, max: 1, lines: bad(0.8, 0.95) }),
    graph('Open files', 'Of those that may be. Runbook: FilesNearlyUsedUp.', 'percentunit', [
      ['process_open_fds{@} / process_max_fds{@}', '{{instance}}'],
    ], { min: 0, lines: bad(0.8, 0.9) }),
    graph('Calls over the rate, a minute', 'All callers alike: a proxy is not named in PARLEY_TRUSTED_PROXIES.', 'short', [
      ['60 * sum by (kind) (rate(http_rate_limited_total{@}[r]))', '{{kind}}'],
    ]),
    graph('HTTP: how long an answer takes', 'Slow with a quick database: runbook ProcessorBusy.', 's', [
      [quantile(0.5, 'http_request_duration_seconds'), 'P50'],
      [quantile(0.95, 'http_request_duration_seconds'), 'P95'],
    ]),
    row('The cluster'),
    graph('Members, as each node sees them', 'Lines apart: runbook ClusterSplit.', 'short', [
      ['voice_cluster_members{status="up",@}', '{{instance}}'],
    ]),
    graph('Out of reach', 'More than a moment: runbook ClusterMemberUnreachable.', 'short', [
      ['voice_cluster_members_unreachable{@}', '{{instance}}'],
    ]),
    graph('Leaving: step', '0 serving, 2 callers leave, 3 waits for its turn, 4 hands over. Over 4 minutes: runbook DrainStuck.', 'short', [
      ['voice_drain_state{@}', '{{instance}}'],
    ], { min: 0, max: 5 }),
    graph('Leaving: conversations left', 'Does not go down: runbook DrainStuck.', 'short', [
      ['voice_drain_sessions_remaining{@}', '{{instance}}'],
    ]),
    graph('Shards and link', 'lines: sessions whose caller is on another node. lost: a node or the network between them went.', 'short', [
      ['sum(voice_cluster_shards{@})', 'shards'],
      ['sum(voice_link_lines{@})', 'lines'],
      ['sum(voice_link_connections{@})', 'connections'],
      ['sum(increase(voice_link_lines_lost_total{@}[r]))', 'lines lost'],
    ]),
    graph('Processes that died, sessions nobody watched', 'Deaths: runbook ClusterMemberLost. Woken: the sweep found sessions without a host; after a death only.', 'short', [
      ['sum(increase(voice_cluster_deaths_total{@}[r]))', 'deaths noticed'],
      ['sum(increase(voice_sweep_woken_total{@}[r]))', 'sessions woken'],
      ['sum(increase(voice_sweep_failures_total{@}[r]))', 'sweeps failed'],
    ]),
    row('The journal'),
    graph('Write', 'P99 over 0.5 s: runbook JournalSlow.', 's', [
      [quantile(0.5, 'voice_journal_write_seconds'), 'P50'],
      [quantile(0.99, 'voice_journal_write_seconds'), 'P99'],
    ], { lines: bad(0.1, 0.5) }),
    graph('Facts that wait', 'Over 1000: runbook JournalBacklog. Do not stop that node.', 'short', [
      ['voice_journal_backlog_facts{@}', '{{instance}}'],
    ]),
    graph('Failures and outages', 'Each failure is tried again. Runbook: JournalFailing.', 'short', [
      ['sum(increase(voice_journal_failures_total{@}[r]))', 'failures'],
      ['sum(increase(voice_journal_outages_total{@}[r]))', 'outages'],
    ]),
    graph('Deleted because of their age, a day', 'failures: personal data stay too long. Runbook: RetentionFailing.', 'short', [
      ['sum(increase(voice_retention_sessions_total{@}[1d]))', 'sessions'],
      ['sum(increase(voice_retention_failures_total{@}[1d]))', 'failures'],
    ]),
    row('The process'),
    graph('Threads', 'blocked grows: jcmd <pid> Thread.print.', 'short', [
      ['sum by (state) (jvm_threads{@})', '{{state}}'],
    ], { stack: true }),
    graph('Scrape', 'What telling all this costs. Over a second: runbook ScrapeSlow.', 's', [
      ['voice_scrape_seconds{@}', '{{instance}} on the node'],
      ['scrape_duration_seconds{@}', '{{instance}} with the network'],
    ]),
    table('Versions', 'Two for more than an hour: a deployment stopped in the middle. Runbook: VersionsMixed.', [
      ['count by (version, java) (voice_build_info{@})', ''],
    ], ['version', 'java']),
    graph('Up since', 'Youngest on top: who restarted?', 's', [
      ['time() - process_start_time_seconds{@}', '{{instance}}'],
    ]),
  ]),

  'parley-providers': dashboard('Parley: providers', 'parley-providers', `
**Is it them?** One provider alone is slow or open: its status page, its support. All of them: our network. With a fallback callers
hear a pause and no more; without one *docs/incidents.md*, how to stop the harm.`, [
    row('Are they there'),
    table('Breakers', 'open: no calls for 10 s. half_open: one call tries. Runbook: ProviderDown.', [
      ['sum by (provider, state) (voice_provider_state{provider=~"$provider",@})', ''],
    ], ['provider', 'state', 'Value']),
    graph('Time that calls were let through', 'Of 5 minutes, all nodes. Below half: runbook ProviderDown; half an hour of it: ProviderOutage.', 'percentunit', [
      ['avg by (provider) (avg_over_time(voice_provider_state{state="closed",provider=~"$provider",@}[5m]))', '{{provider}}'],
    ], { min: 0, max: 1, lines: good(0.5, 0.95) }),
    graph('Breakers that opened, calls kept back, a minute', 'Five failures in a row open it.', 'short', [
      ['60 * sum by (provider) (rate(voice_provider_opened_total{provider=~"$provider",@}[r]))', '{{provider}} opened'],
      ['60 * sum by (provider) (rate(voice_provider_calls_refused_total{provider=~"$provider",@}[r]))', '{{provider}} kept back'],
    ]),
    row('RED: rate, errors, duration'),
    graph('Calls that began, a minute', 'A provider that takes over shows here.', 'short', [
      ['60 * sum by (provider) (rate(voice_upstream_open_seconds_count{provider=~"$provider",@}[r]))', '{{provider}}'],
    ], { stack: true }),
    graph('Calls refused, lines lost, a minute', 'refused: keys, money, rates, runbook SessionCreationFailuresHigh. mute: it hangs. closed: it or the network. Runbook: UpstreamsLost.', 'short', [
      ['60 * sum(rate(voice_upstream_dials_refused_total{@}[r]))', 'refused'],
      ['60 * sum by (cause) (rate(voice_upstreams_lost_total{@}[r]))', 'lost: {{cause}}'],
      ['60 * sum(rate(voice_upstreams_found_total{@}[r]))', 'found again'],
    ]),
    graph('Opening a session', 'Aim 0.3 s. Runbook: ProviderOpensSlowly.', 's', [
      [quantile(0.5, 'voice_upstream_open_seconds', 'provider', 'provider=~"$provider"'), 'P50 {{provider}}'],
      [quantile(0.95, 'voice_upstream_open_seconds', 'provider', 'provider=~"$provider"'), 'P95 {{provider}}'],
    ], { lines: bad(0.3, 1) }),
    graph('First audio', 'P95 aim 0.8 s. Runbook: FirstAudioSlow.', 's', [
      [quantile(0.5, 'voice_ttfa_seconds', 'provider', 'provider=~"$provider",arm=~"$arm"'), 'P50 {{provider}}'],
      [quantile(0.95, 'voice_ttfa_seconds', 'provider', 'provider=~"$provider",arm=~"$arm"'), 'P95 {{provider}}'],
    ], { lines: bad(0.8, 3) }),
    graph('Answers within 0.8 s', 'The service level: 95 %. docs/slo.md.', 'percentunit', [
      ['sum by (provider) (rate(voice_ttfa_seconds_bucket{le="0.8",provider=~"$provider",arm=~"$arm",@}[r])) / sum by (provider) (rate(voice_ttfa_seconds_count{provider=~"$provider",arm=~"$arm",@}[r]))', '{{provider}}'],
    ], { min: 0, max: 1, lines: good(0.95, 0.95) }),
    row('Who has what'),
    graph('Conversations', 'After an outage they stay where they are until they end.', 'short', [
      ['sum by (provider) (voice_sessions{provider=~"$provider|none",arm=~"$arm",@}) or on () vector(0)', '{{provider}}'],
    ], { stack: true }),
    graph('Tokens, a second', 'Towards the provider\'s rate limit.', 'short', [
      ['sum by (provider) (rate(voice_tokens_total{provider=~"$provider",@}[r]))', '{{provider}}'],
    ]),
    graph('Dollars an hour', 'What each costs.', 'currencyUSD', [
      ['3600 * sum by (provider) (rate(voice_cost_usd_total{provider=~"$provider",@}[r]))', '{{provider}}'],
    ], { stack: true }),
  ]),
};

/** Share of one rate in another, 0 while nothing happens. */
function share(part, whole, window) {
  return `sum(rate(${part}[${window}])) / (sum(rate(${whole}[${window}])) > 0) or on () vector(0)`;
}

function quantile(q, metric, by = '', matchers = '', window = 'r') {
  const labels = matchers === '' ? '@' : `${matchers},@`;
  return `histogram_quantile(${q}, sum by (${by === '' ? 'le' : `${by}, le`}) (rate(${metric}_bucket{${labels}}[${window}])))`;
}

function row(title) {
  return { type: 'row', title, collapsed: false, panels: [] };
}

function panel(type, title, description, unit, queries, options) {
  return {
    type, title, description,
    datasource: { type: 'prometheus', uid: '${datasource}' },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      expr: expr.replaceAll('@', SCOPE).replaceAll('[r]', '[$__rate_interval]'),
      legendFormat,
      ...(type === 'timeseries' ? {} : { instant: true, ...(type === 'table' ? { format: 'table' } : {}) }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        ...(options.decimals === undefined ? {} : { decimals: options.decimals }),
        ...(options.min === undefined ? {} : { min: options.min }),
        ...(options.max === undefined ? {} : { max: options.max }),
        thresholds: {
          mode: 'absolute',
          steps: (options.thresholds ?? options.lines ?? [[null, GREEN]]).map(([value, color]) => ({ value, color })),
        },
        ...(options.mappings === undefined ? {} : { mappings: [{
          type: 'value',
          options: Object.fromEntries(Object.entries(options.mappings).map(([value, text], index) => [value, { text, index }])),
        }] }),
        custom: type !== 'timeseries' ? {} : {
          fillOpacity: options.stack ? 40 : 0,
          lineWidth: 1,
          showPoints: 'never',
          stacking: { mode: options.stack ? 'normal' : 'none' },
          thresholdsStyle: { mode: options.lines === undefined ? 'off' : 'line' },
        },
      },
      overrides: [],
    },
  };
}

function graph(title, description, unit, queries, options = {}) {
  return {
    ...panel('timeseries', title, description, unit, queries, options),
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    size: [8, 7],
  };
}

function stat(title, description, unit, queries, options = {}) {
  return {
    ...panel('stat', title, description, unit, queries, options),
    options: {
      colorMode: options.thresholds === undefined ? 'none' : 'background',
      graphMode: 'none',
      textMode: options.text ?? 'auto',
      reduceOptions: { calcs: ['lastNotNull'] },
    },
    size: [4, 4],
  };
}

/** Only these columns. */
function table(title, description, queries, columns) {
  return {
    ...panel('table', title, description, 'short', queries, {}),
    transformations: [{ id: 'filterFieldsByName', options: { include: { names: columns } } }],
    size: [8, 7],
  };
}

function variable(name, query) {
  return {
    type: 'query', name, query: { query, refId: name },
    datasource: { type: 'prometheus', uid: '${datasource}' },
    includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' },
    refresh: 2, sort: 1,
  };
}

function annotation(name, expr, titleFormat, iconColor) {
  return { name, enable: true, iconColor, datasource: { type: 'prometheus', uid: '${datasource}' }, expr, titleFormat, step: '1m' };
}

/** Panels from left to right, rows over the whole width. */
function dashboard(title, uid, text, panels) {
  let x = 0, y = 4, high = 0;
  const placed = panels.map(({ size, ...each }, index) => {
    const [w, h] = each.type === 'row' ? [24, 1] : size;
    if (x + w > 24 || each.type === 'row') {
      y += high;
      x = 0;
      high = 0;
    }
    const gridPos = { x, y, w, h };
    x += w;
    high = Math.max(high, h);
    return { id: index + 2, ...each, gridPos };
  });
  return {
    uid, title, tags: ['parley'], schemaVersion: 39, version: 1, editable: true, graphTooltip: 1, refresh: '30s',
    time: { from: 'now-3h', to: 'now' }, timezone: 'browser',
    links: [{ type: 'dashboards', title: 'Parley', tags: ['parley'], asDropdown: true, includeVars: true, keepTime: true,
      icon: 'external link', targetBlank: false, tooltip: '', url: '' }],
    templating: { list: [
      { type: 'datasource', name: 'datasource', query: 'prometheus', current: { text: 'default', value: 'default' }, label: 'Prometheus' },
      ...variables,
    ] },
    annotations: { list: [
      annotation('Changes of the rollout', `changes(max by (cluster) (voice_rollout_revision{${SCOPE}})[2m:1m]) > 0`, 'revision {{cluster}}', '#5794f2'),
      annotation('Pages', 'max by (alertname) (ALERTS{alertstate="firing",severity="page",cluster=~"$cluster|"})', '{{alertname}}', RED),
    ] },
    panels: [
      { id: 1, type: 'text', title: 'What to do', gridPos: { x: 0, y: 0, w: 24, h: 4 },
        options: { mode: 'markdown', content: text.trim().replaceAll('\n', ' ') } },
      ...placed,
    ],
  };
}
