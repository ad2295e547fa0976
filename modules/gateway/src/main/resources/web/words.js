/** What the codes of the other end mean to people. */

const MEANINGS = {
  unauthenticated: 'This token is not valid. Please ask for a new one.',
  identity_unavailable: 'Who you are cannot be checked just now. Please try again in a moment.',
  origin_not_allowed: 'This address may not be used to call.',
  not_in_rollout: 'Voice is not open to you yet.',
  voice_disabled: 'Voice is switched off for now.',
  capacity: 'All places are taken. Please try again in a moment.',
  too_many_connections: 'You are in too many conversations at once. End another one, then try again.',
  tenant_full: 'All places of your organisation are taken. Please try again in a moment.',
  quota_exceeded: 'You have begun as many conversations as an hour allows. Please try again later.',
  quota_unavailable: 'The service does not answer just now. Please try again in a moment.',
  rate_limited: 'That was too fast. Please try again in a moment.',
  session_unavailable: 'The service does not answer just now. Please try again in a moment.',
  unknown_session: 'It was over before the connection came back.',
  session_over: 'It was over before the connection came back.',
  resume_refused: 'It could not be taken up again.',
  resumed_elsewhere: 'It goes on in another place.',
  ended_by_caller: 'It was ended from another place.',
  ended_by_operator: 'Whoever runs this service has ended it.',
  caller_left: '',
  max_length: 'It had reached the longest time a conversation may take.',
  idle: 'Nobody had said anything for a while.',
  budget: 'It has cost what a conversation may cost.',
  upstream_lost: 'The agent was cut off.',
  session_expired: 'The agent had no more time for this conversation.',
};

const LOST = {
  answer: 'the agent begins its answer again',
  tool_result: 'what a tool had found is lost',
  speech: 'your last words are lost, please say them again',
};

/** What became of the work that was under way when the conversation had to move; empty for none. */
export function restored(kinds) {
  const parts = [...new Set(kinds)].map(kind => LOST[kind]).filter(Boolean);
  return parts.length === 0 ? '' : `The conversation had to be restored: ${parts.join(', and ')}.`;
}

/** The page's own sentence for a code it knows; else what the other end said; else, if that is nothing, `otherwise`. */
export function explain(code, message, otherwise = '') {
  return MEANINGS[code] ?? (message ? sentence(message) : otherwise);
}

function sentence(text) {
  const capital = text[0].toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
