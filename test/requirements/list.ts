/**
 * What must hold, one line a requirement, in the sections that are closed. A test that shows one carries its id in
 * square brackets; table.ts brings the two together.
 */
export interface Section {
  title: string;
  requirements: Readonly<Record<string, string>>;
}

export const closedSections: readonly Section[] = [
  {
    title: 'The spine',
    requirements: {
      'PL-01': 'Production does not start with anything unsafe, and says all of it at once.',
      'PR-03': 'A code is used once; the second use takes back what the first one gave.',
      'PR-22': 'Other sites’ pages may read tokens and userinfo of their own client alone.',
      'PR-25': 'A form is answered with 303, nothing stays in caches, no address is passed on.',
      'RL-06': 'A stop finishes what is in flight, and says first that it is not ready.',
    },
  },
  {
    title: 'The protocol',
    requirements: {
      'PR-01': 'A redirect address is the registered one, letter by letter, or nothing begins.',
      'PR-02': 'A code is worth nothing without the verifier of its own challenge, for any app.',
      'PR-04': 'A code is for one app, one address, one key and one minute.',
      'PR-05': 'Every answer says whose it is, and apps that look refuse another provider’s.',
      'PR-06': 'A pushed request is its client’s, for a minute, and leads to one answer.',
      'PR-07': 'There is the code flow alone, whatever is slipped in on the way.',
      'PR-08':
        'Request objects come by value, signed by the client, and no key is fetched for them.',
      'PR-09': 'No JWT is believed by a wrong key or algorithm, nor one kind for another.',
      'PR-10': 'A session has a new id after the login, and the old id leads nowhere.',
      'PR-11': 'Who asks without a person gets no selfie, and costs nothing, also in a frame.',
      'PR-12': 'What has to be proven anew takes a new selfie, and says when it was taken.',
      'PR-13':
        'A request about one person is not answered with another, and costs the first nothing.',
      'PR-14': 'A refresh token is used once, also across restarts; a theft ends the whole family.',
      'PR-15': 'A token that is bound to a key opens nothing without a fresh proof of it.',
      'PR-16': 'A client shows who it is once, to us alone; its secret is kept as a hash.',
      'PR-17': 'What no program sends is refused, and holds up nobody.',
      'PR-18':
        'A logout is asked on our page, for whom it is about, and leads to registered places.',
      'PR-19':
        'Apps are told of every end of a session, again until they heard; a dead one delays none.',
      'PR-20': 'An app has what its person allowed it, and nothing that anybody else allowed.',
      'PR-21': 'Clients register themselves only with the operator’s token, and by a policy.',
      'PR-23': 'A client learns nothing of another’s tokens, and cannot revoke them.',
      'PR-24': 'All that discovery says works, and of its kind nothing else does.',
      'PR-26': 'Who is blocked or removed is out everywhere at once, and learns no reason.',
      'PR-27': 'Subjects are opaque, can be another for each sector, and are never given again.',
      'PR-30': 'Cookies hold ids that mean nothing, and nothing of what was asked.',
    },
  },
  {
    title: 'The way back from Didit',
    requirements: {
      'XD-01': 'An approval alone signs nobody in.',
      'XD-02': 'Whoever sent a link cannot see that it was followed.',
      'XD-03': 'Another browser with the right nonce ends the sign-in, also after the end.',
      'XD-04': 'A forwarded link signs neither its sender nor its receiver in.',
      'XD-05': 'The way back has a secret of its own, kept as a hash, that works once and in time.',
      'XD-06': 'The cookie of another sign-in is refused.',
      'XD-07': 'A selfie from another browser or system than the one that asked is refused.',
      'XD-10': 'Didit’s link stands in one redirect, and in no page, log or record.',
      'XD-11': 'The selfie has a short time of its own; what comes later is no login.',
      'XD-16': 'A selfie that was taken for one’s own account signs nobody else in to it.',
      'XD-17': 'Strangers who press too hard close the selfie to strangers alone.',
      'XD-20': 'Didit’s page has no handle on ours, and a login in a popup works.',
      'CB-01': 'What the address says of the status decides nothing.',
      'CB-02': 'A session that was approved for somebody else is never looked at.',
      'CB-03': 'A GET completes nothing: not twice, not as HEAD, not looked ahead.',
      'CB-04': 'The way back is built from the configuration, never from a header.',
      'CB-05': 'A query that Didit does not send is refused, in one line of the log.',
      'CB-06':
        'The page that waits is told to look again, by one slow stream, for its own browser.',
      'CB-07':
        'Whatever Didit’s API answers in error is no approval, and it is asked within bounds.',
      'CB-08': 'Webhook, look and return at once make one verdict and one login.',
      'CB-09': 'After the end every way leads to a page that says so.',
    },
  },
  {
    title: 'The webhook',
    requirements: {
      'WH-01': 'Only a small JSON document, posted in time, is read.',
      'WH-02': 'Only signatures over the whole body count, by a closed list of formulas.',
      'WH-03': 'A signature has one spelling: 64 hexadecimal digits, once.',
      'WH-04': 'Prototypes, doubled fields and what is no object are refused.',
      'WH-05': 'The canonical form is the one that Didit’s signer makes.',
      'WH-06': 'Signatures are compared in constant time, over bytes.',
      'WH-07': 'An empty or short secret stops the program.',
      'WH-08': 'Fresh is what the signed body says, and the header must repeat it.',
      'WH-09': 'The same delivery, however often and at once, has one effect.',
      'WH-10': 'It is acknowledged after it was saved, and never while the store is away.',
      'WH-11': 'In whatever order the rings come, the result is the decision.',
      'WH-12': 'A session that we did not create is none of our business.',
      'WH-13': 'A ring about something else than was asked for is not acted upon.',
      'WH-14': 'Types and statuses are compared exactly.',
      'WH-15': 'A ring is a reason to look at the API; where it contradicts, the login ends.',
      'WH-16': 'Secrets are changed without losing a login, and the old one has an end.',
      'WH-17': 'A list of addresses may narrow the bell, and never opens it.',
      'WH-18': 'Refusals do not tell one reason from another.',
      'WH-19': 'A flood of bad deliveries writes nothing and keeps nobody out.',
      'WH-20': 'Nothing of a delivery but its event id and outcome is in the log.',
      'WH-21': 'Whichever byte is changed, nothing happens and nothing breaks.',
      'WH-22':
        '`doctor` says of a captured delivery which formula fits, and why it would be refused.',
    },
  },
  {
    title: 'The verdict',
    requirements: {
      'VD-01': 'Everything must be as it was asked for; each condition has its own reason.',
      'VD-02': 'Liveness without a face match is no login.',
      'VD-03': 'An approval for something else is no login.',
      'VD-04': 'Scores are numbers from 0 to 100; the scale is never guessed.',
      'VD-05': 'A score below our own bound is refused, though Didit approved.',
      'VD-06': 'What was approved by hand is refused.',
      'VD-07': 'Each status that is no approval ends the attempt.',
      'VD-08': 'A verdict is used once.',
      'VD-09': 'A verdict is stale after two minutes.',
      'VD-10': 'The reference face is the one that was enrolled, and still is.',
      'VD-11': 'A sandbox decision opens no live door, and says that it is one.',
      'VD-12': 'What is declined, blocked or taken back later ends what it had opened.',
      'VD-14': 'An answer that lacks what it always had is refused, and told.',
      'VD-15': 'While Didit is away nobody gets in by a face, and all are told soon.',
    },
  },
  {
    title: 'Limits',
    requirements: {
      'AB-01': 'A name without an account is treated like one that has one.',
      'AB-02':
        'Each selfie passes the limits before Didit is asked, and strangers leave a reserve.',
      'AB-03': 'Limits hold exactly, however many ask at once.',
      'AB-04': 'All spellings of a name share one count.',
      'AB-05': 'Five declined selfies are free, then one each thirty seconds, fifty in all.',
      'AB-06': 'Strangers’ failures do not lock a known device out.',
      'AB-07': 'Who tries a face on many accounts is stopped at the fifth.',
      'AB-08': 'The visitor’s address is what the configured proxies say.',
      'AB-09': 'A browser has one selfie under way for a person.',
      'AB-10': 'Three messages in a quarter of an hour; after that, silence.',
      'AB-11': 'Without credit Didit is left alone, people are told, an operator hears of it.',
      'AB-12': 'Anonymous requests cannot fill the store.',
    },
  },
  {
    title: 'Faults',
    requirements: {
      'RL-01': 'Without a single webhook every login completes, soon and within the API’s limits.',
      'RL-02': 'Whatever Didit does wrong lets nobody in, and passes when it does.',
      'RL-03': 'Whatever Redis does wrong gives no token twice, and passes when it does.',
      'RL-04':
        'Killed at any moment, the provider goes on where it was, and no proof counts twice.',
      'RL-05': 'Any instance takes any request, also while they are replaced one by one.',
      'RL-09': 'Ten thousand sequences of attacks let nobody in who was not there.',
      'RL-11': 'Each of these lines has a test, and the table below is made from them.',
    },
  },
  {
    title: 'The platform',
    requirements: {
      'PL-04': 'Who steals the database can read nothing in it, and open nothing with it.',
      'PL-05':
        'Redis is believed over TLS alone, asked for few rights, and must not forget by itself.',
      'PL-06': 'All that is kept for a while has its end written beside it.',
      'PL-07': 'Addresses that relying parties give lead nowhere but out, and not for long.',
      'PL-08': 'The logo of an app is neither fetched nor shown.',
      'PL-09': 'Every answer has its headers, and no policy is in the way of a login.',
      'PL-10': 'No page can be shown inside another.',
      'PL-11': 'Cookies are named and marked as browsers guard them; forged ones are none.',
      'PL-12': 'A form of another site, or of a sister, does nothing.',
      'PL-13': 'Nothing leads to an address that nobody registered.',
      'PL-14': 'What strangers write is text on our pages, and nothing else.',
      'PL-15': 'A line of the log is one line, and of bounded length, whatever was sent.',
      'PL-16': 'Slow, long, deep and many requests keep nobody out.',
      'PL-17': 'Forwarded headers count only from proxies that are configured.',
      'PL-18': 'No JSON that was sent changes what other objects are.',
      'PL-19': 'Every id is drawn, and has at least 128 bits that nobody can guess.',
      'PL-21': 'An error tells a reference, and nothing else.',
    },
  },
  {
    title: 'People',
    requirements: {
      'EN-01':
        'Whoever begins with somebody else’s address leaves nothing that the other inherits.',
      'EN-02': 'No face is asked for before address, consent and another way in are there.',
      'EN-03':
        'Another face takes the place of one only with strong proof, and of the same person.',
      'EN-04': 'Each enrolment has names at Didit that nothing else had and nobody sees.',
      'EN-05': 'A reference picture comes from Didit alone, and only as a small, plain picture.',
      'EN-06':
        'Document, liveness and match are needed; what was approved by hand waits for a second hand.',
      'EN-07': 'A sign-in never changes the face that the next one is compared with.',
      'EN-08': 'Recovery takes two proofs and a wait in which it can be called off.',
      'EN-09': 'A link to recover is used once, soon, in one browser, and by a press of a button.',
      'EN-11': 'The last way in that needs no face stays.',
      'EN-12': 'Only a confirmed address is somebody’s, and a mailbox is no face.',
      'EN-13': 'A form changes what it asks for, and nothing else.',
      'EN-14': 'For a day after a new face, that face changes no way in.',
      'BD-01': 'As little as possible is kept: with Didit’s own reference not one picture.',
      'BD-02': 'A face is sealed to its account, and gone with its key.',
      'BD-03': 'No face is written to disk, nor into what is left of a crash.',
      'BD-04': 'Nothing secret is in a log, a page, a mail or the database in the clear.',
      'BD-05': 'Of a decision nothing is kept but that it was made.',
      'BD-06': 'No score and no reason leaves.',
      'BD-07': 'No face without consent: asked by itself, kept with its version, asked again.',
      'BD-08': 'Who is erased is gone here and at Didit, however often that has to be tried.',
      'BD-09': 'What nobody asks to be erased goes by itself, in its time.',
      'BD-10': 'A face is compared with one other, and never looked for among many.',
      'BD-11': 'Each face that is opened is written down, and many at once are told.',
      'BD-12':
        'Anybody can read what happens to faces, and everybody gets what is held about them.',
      'BD-13': 'Who is refused learns what to do, and whom to ask.',
      'BD-14': 'A backup has nothing that can be read.',
      'FB-01': 'There is always a way in without a face.',
      'FB-02': 'A passkey answers once, here, for the one who was asked.',
      'FB-04': 'A recovery code works once, and cannot be guessed from a stolen database.',
      'FB-05': 'A code of an app works once.',
      'FB-06': 'A mail is one leg, in the browser that asked for it.',
      'FB-07': 'No outage makes a weaker way enough.',
      'FB-08': 'What ways somebody has is told after the first of them.',
      'AX-01': 'The other way is as near and as large as the selfie.',
      'AX-02': 'Codes can be pasted, and browsers know what they are.',
      'AX-03': 'Who needs more time is warned, and gets it with one press.',
      'AX-04': 'What changes on a page is said to who listens to it.',
      'AX-05': 'Nothing flashes, unless an operator allowed it, and then it is said.',
      'AX-06': 'Every page works by keyboard, enlarged, without colours and without motion.',
      'AX-07': 'Without a camera there is a way on, in two steps.',
      'AX-08': 'Every text is there in every language.',
      'VD-13': 'What a partner shared enrols somebody, and signs nobody in.',
    },
  },
  {
    title: 'Assurance',
    requirements: {
      'AS-01':
        'How somebody signed in is what was shown, and nothing more; a spared selfie is no face.',
      'AS-02': 'A face is never called resistant to phishing, nor a level of anybody’s scheme.',
      'AS-03': 'What an app insists on is reached or refused, and what it wishes is told as it is.',
      'AS-04': 'An API can ask for more, and an app gets it in one round.',
      'AS-05': 'Nobody steps up without the step, whichever way they come back.',
      'AS-06': 'What changes how somebody signs in takes fresh proof, of more than a face.',
      'AS-07': 'Who showed a document once is not signed in by it later.',
      'AS-09': 'When somebody signed in is when it was read, within what was asked.',
      'XD-19': 'No page frames Didit, and none acts on what another window says.',
      'FB-03': 'A device is known by a key that signs, and by nothing that can be copied.',
      'XD-12':
        'Before a selfie for another screen, the phone is told who asks, and ends it by one press.',
      'XD-13':
        'A hand-off is for one phone, once, soon, and opens little, by a code that is typed.',
      'XD-14': 'A passkey is offered before the camera of a phone.',
      'XD-15': 'A selfie by Didit’s own way to a phone is refused, and the right way is named.',
      'XD-08': 'Under the strict policy, nobody’s selfie is asked for by who only knows a name.',
      'XD-09':
        'There, a new device shows something else first, then a face, and the person is told.',
      'XD-18': 'A sign-in in a new browser is told by mail, with a link that ends what it opened.',
    },
  },
  {
    title: 'Operations',
    requirements: {
      'EN-10':
        'No operator marks a sign-in as proven; what takes two takes two, is told to the person and written down.',
      'PL-02': 'Secrets come from files or the environment, and stand in no image, log or answer.',
      'PL-03': 'Every key is rotated while people sign in, and no sign-in fails for it.',
      'PL-20':
        'What operators do takes a key or a role, for every route and every object, on a listener of its own.',
      'PL-22': 'What is released is built from the lock file by pinned steps, listed, and signed.',
      'PL-23': 'Containers run without root and capabilities, on a root that they cannot write.',
      'PL-24':
        'Health and metrics are on a port of their own, name nobody, and say when nobody can be served.',
      'PL-25': 'The clock is watched, and one that jumps lets nobody in.',
      'PL-26': 'What happens is written into a chain that shows what was taken out or changed.',
      'RL-12': 'A weakness is reported in private, and what happens then is written down.',
    },
  },
];

export const closedIds: ReadonlySet<string> = new Set(
  closedSections.flatMap(({ requirements }) => Object.keys(requirements)),
);
