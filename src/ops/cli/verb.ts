import { Command } from 'commander';

/** An id of ours, or of the library's: base64url, of which one in 64 begins with a dash. No option has capitals or digits. */
const idWithDash = /^-(?=.*[A-Z\d])[\w-]{7,}$/;

/** A command to which an id stays what it is called, also one that begins like an option. */
export class Verb extends Command {
  override createCommand(name?: string): Verb {
    return new Verb(name);
  }

  /** From the first word on that begins with a dash and is no option, all that is none is in `unknown`, as it came. */
  override parseOptions(argv: string[]): { operands: string[]; unknown: string[] } {
    const { operands, unknown } = super.parseOptions(argv);
    // Where there are commands below, one of them reads the rest.
    if (this.commands.length > 0) return { operands, unknown };
    const options = unknown.filter((word) => word.startsWith('-') && !idWithDash.test(word));
    return options.length > 0
      ? { operands, unknown: options }
      : { operands: [...operands, ...unknown], unknown: [] };
  }
}
