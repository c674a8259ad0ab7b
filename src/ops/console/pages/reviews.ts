/** The queue of checks that people have to look at: how long each waits, why, and where its pictures are. */
import {
  approveReviewCase,
  declineReviewCase,
  getReview,
  listReviews,
} from '../../acts/reviews.ts';
import { getAccount } from '../../acts/accounts.ts';
import { Refusal } from '../../acts/refusal.ts';
import { nameOf } from '../names.ts';
import { type ConsoleForm, type ConsolePage, form, typedIn } from '../page.ts';

const word = (
  name: 'approve' | 'decline',
  rest: Pick<ConsoleForm, 'button' | 'title' | 'said' | 'isGrave'>,
) =>
  form({
    ...{ name, act: name === 'approve' ? approveReviewCase : declineReviewCase, ...rest },
    fields: [
      {
        ...{ name: 'reason', label: `Why you ${name}`, isRequired: true },
        hint: 'One line. It goes into the log, and to the person when they ask what is known of them.',
      },
    ],
    input: (values, { id }) => ({ params: { id }, body: typedIn(values, ['reason']) }),
    done: (_, { id = '' }) => ({ to: `/console/reviews/${id}` }),
  });

export const reviews: ConsolePage = {
  ...{ name: 'reviews', path: '/reviews', inMenu: 'Reviews', role: 'reviewer' },
  async show({ query: { status = 'open', after }, look }) {
    const wanted = status === 'all' ? 'all' : 'open';
    const query = { status: wanted, limit: 50, ...(after ? { cursor: after } : {}) };
    const found = await look(listReviews, { query });
    return { title: 'Reviews', data: { status: wanted, reviews: found.reviews, next: found.next } };
  },
};

/** What each of the two does; see enrol/review.ts. */
function effectsOf({
  kind,
  signed_in_at: signedIn,
}: {
  kind: string;
  signed_in_at?: string | undefined;
}) {
  if (signedIn !== undefined) {
    return {
      approve: 'The sign-in stands as it is. Nobody is written to.',
      decline: 'The sign-in and all that hangs on it ends now, and the person is told by mail.',
    };
  }
  if (['enrol', 're_enrol', 'recovery'].includes(kind)) {
    return {
      approve:
        'Signs nobody in. The check is read from Didit once more, the face is enrolled, and the person is told by mail.',
      decline:
        'Signs nobody in. The face is not enrolled and is forgotten here, and the person is told by mail.',
    };
  }
  return {
    approve: 'Signs nobody in. The person is told by mail that they may try again.',
    decline: 'Signs nobody in, and nobody is written to: the person did not get in by this check.',
  };
}

export const review: ConsolePage = {
  ...{ name: 'review', path: '/reviews/:id', role: 'reviewer' },
  forms: [
    word('approve', {
      ...{ button: 'Approve', title: 'It may be the person' },
      said: 'Noted. It signs nobody in: they may try again, or their face is enrolled.',
    }),
    word('decline', {
      ...{ button: 'Decline', title: 'It is not, or nobody can tell', isGrave: true },
      said: 'Declined. If somebody was signed in by the check, that is taken back.',
    }),
  ],
  async show({ params: { id }, look, also, namesOf, visitor }) {
    const found = await look(getReview, { params: { id } });
    const { account: whose, approved_by: first = [], closed_by: closed = [] } = found;
    const isMine = first.includes(visitor.account.id);
    const names = await namesOf([...first, ...closed]);
    const person = await also(getAccount, { params: { id: whose } }).catch((error: unknown) => {
      // Somebody who is gone has no name.
      if (error instanceof Refusal && error.code === 'not_found') return {};
      throw error;
    });
    const who = nameOf(person);
    const effects = effectsOf(found);
    return {
      title: `Case ${found.reference}`,
      data: { review: found, who, names, isMine, effects },
    };
  },
};
