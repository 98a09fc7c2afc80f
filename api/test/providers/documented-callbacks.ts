/** Callbacks as the providers document them, each with the page that it is from. Times of a page are long ago: tests send today's. */

/** https://www.twilio.com/docs/voice/twiml#request-parameters, with what a status callback adds to them: https://www.twilio.com/docs/voice/api/call-resource#statuscallback. */
export const TWILIO_STATUS = {
  AccountSid: 'AC00000000000000000000000000000001',
  ApiVersion: '2010-04-01',
  CallSid: 'CA00000000000000000000000000000001',
  CallStatus: 'completed',
  CallDuration: '15',
  CallbackSource: 'call-progress-events',
  Called: '+18005551212',
  Caller: '+14158675310',
  CallerCity: 'SAN FRANCISCO',
  CallerCountry: 'US',
  Direction: 'outbound-api',
  Duration: '1',
  From: '+14158675310',
  SequenceNumber: '3',
  SipResponseCode: '200',
  Timestamp: 'Tue, 31 Aug 2010 20:36:28 +0000',
  To: '+18005551212',
}

/** https://www.twilio.com/docs/usage/webhooks/webhooks-security, and its samples: github.com/TwilioDevEd/api-snippets, security/signature_validation. */
export const TWILIO_SIGNED = [
  {
    token: '12345',
    url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
    form: {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675309',
      Digits: '1234',
      From: '+14158675309',
      To: '+18005551212',
    },
    signature: 'RSOYDt4T1cUTdK1PDd93/VVr8B8=',
  },
  {
    token: '12345',
    url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
    form: {
      CallSid: 'CA1234567890ABCDE',
      Caller: '+14158675310',
      Digits: '1234',
      From: '+14158675310',
      To: '+18005551212',
    },
    signature: 'GvWf1cFY/Q7PnoempGyD5oXAezc=',
  },
] as const

/** https://developers.telnyx.com/api-reference/callbacks/call-hangup. */
export const TELNYX_HANGUP = {
  data: {
    record_type: 'event',
    event_type: 'call.hangup',
    id: '0ccc7b54-4df3-4bca-a65a-3da1ecc777f0',
    occurred_at: '2018-02-02T22:25:27.521992Z',
    payload: {
      call_control_id: 'v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg',
      connection_id: '7267xxxxxxxxxxxxxx',
      call_leg_id: '428c31b6-7af4-4bcb-b7f5-5013ef9657c1',
      call_session_id: '428c31b6-7af4-4bcb-b7f5-5013ef9657c1',
      client_state: 'aGF2ZSBhIG5pY2UgZGF5ID1d',
      from: '+35319605860',
      to: '+35319605860',
      start_time: '2018-02-02T22:20:27.521992Z',
      state: 'hangup',
      hangup_cause: 'call_rejected',
      hangup_source: 'caller',
      sip_hangup_cause: '603',
      call_quality_stats: {
        inbound: {
          jitter_max_variance: '2.74',
          jitter_packet_count: '0',
          mos: '4.50',
          packet_count: '591',
          skip_packet_count: '9',
        },
        outbound: { packet_count: '0', skip_packet_count: '0' },
      },
    },
  },
}

/** https://developers.telnyx.com/api-reference/callbacks/texml-call-answered, as a form. */
export const TELNYX_TEXML_ANSWERED = {
  AccountSid: 'f5586561-8ff0-4291-a51b-c7dfe4139ff9',
  CallInitiatedAt: '2024-01-15T10:30:26.028Z',
  CallSid: 'v3:9X2vxPDFY2RHSJ1EdMS0RHRksMTg7ldNxdjWbVr9zBjbGjGsSe-aiQ',
  CallSidLegacy: 'v3:9X2vxPDFY2RHSJ1EdMS0RHRksMTg7ldNxdjWbVr9zBjbGjGsSe-aiQ',
  CallStatus: 'in-progress',
  CallbackSource: 'call-progress-events',
  ConnectionId: '1234567890',
  From: '+35319605860',
  SequenceNumber: '2',
  Timestamp: '2024-01-15T10:30:00Z',
  To: '+13129457420',
}

/** https://developers.telnyx.com/docs/voice/programmable-voice/texml-verbs/hangup: the time is not quite RFC 3339. */
export const TELNYX_TEXML_COMPLETED = {
  AccountSid: 'cb6cfbbc-eb00-41af-a3f3-0d7b32009e4b',
  CallDuration: '2',
  CallSid: 'v2:7V3r4VFCGLTzKLOveE0-7vM9dX17-NRQgU1byo-uuOIX9JcDadLLKw',
  CallStatus: 'completed',
  CallbackSource: 'call-progress-events',
  From: '+18445931290',
  HangupSource: 'callee',
  SequenceNumber: '0',
  Timestamp: '2021-04-28 21:51:18.731479Z',
  To: '+13122010055',
}

/** https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/CDR-Variables: as CURL() posts them, in UTC. */
export const ASTERISK_CDR = {
  clid: '"Alice" <+49301234>',
  src: '+49301234',
  dst: '200',
  dcontext: 'internal',
  channel: 'PJSIP/alice-00000001',
  start: '2026-01-31 12:00:00',
  answer: '2026-01-31 12:00:09',
  end: '2026-01-31 12:01:09',
  duration: '69',
  billsec: '60',
  disposition: 'ANSWERED',
  amaflags: 'DOCUMENTATION',
  uniqueid: '1769860800.1',
}

/**
 * https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653124, with the variables of the record on
 * the page of mod_xml_cdr, which has the same: values are percent-encoded unless encode-values is false.
 */
export const FREESWITCH_CDR = {
  variables: {
    uuid: '7b9b5a3c-1c1e-4a55-9d1e-5a8c0f1d2e3f',
    direction: 'inbound',
    sip_call_id: 'MTc4ODQ2ZjA',
    sip_from_user: '1160',
    sip_from_uri: '1160%40192.168.50.229',
    sip_to_uri: '92137991400%40192.168.50.229',
    hangup_cause: 'ORIGINATOR_CANCEL',
    start_epoch: '1769860800',
    start_uepoch: '1769860800123456',
    progress_uepoch: '1769860802000000',
    answer_epoch: '0',
    answer_uepoch: '0',
    end_epoch: '1769860810',
    end_uepoch: '1769860810500000',
    effective_caller_id_name: 'Michael%20S%20Collins',
  },
}
