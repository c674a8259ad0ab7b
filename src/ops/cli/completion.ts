/** `didit-oidc completion SHELL`: a script that knows all commands and options, made from the commands themselves. */
import { type Command, Argument } from 'commander';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** A command by its whole name, and what may follow it. */
interface Place {
  path: string;
  words: { word: string; meaning: string }[];
}

export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description(
      'print a script that completes commands and options: source <(didit-oidc completion bash)',
    )
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(render[shell](placesBelow(program, program.name())));
    });
}

function placesBelow(command: Command, path: string): Place[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  const own = commands.map((one) => ({ word: one.name(), meaning: one.description() }));
  const options = help.visibleOptions(command).flatMap(({ long, short, description }) => {
    const word = long ?? short;
    return word === undefined ? [] : [{ word, meaning: description }];
  });
  const below = commands.flatMap((one) => placesBelow(one, `${path} ${one.name()}`));
  return [{ path, words: [...own, ...options] }, ...below];
}

const render: Record<Shell, (places: readonly Place[]) => string> = {
  /** Where no word fits, bash goes on with the names of files. */
  bash: (places) => `# didit-oidc: source <(didit-oidc completion bash)
_didit_oidc() {
  local word path=didit-oidc words='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$path $word" in
${places.map(({ path }) => `      '${path}') path='${path}' ;;`).join('\n')}
    esac
  done
  case "$path" in
${places.map(({ path, words }) => `    '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}" || true))
}
complete -o default -F _didit_oidc didit-oidc
`,
  zsh: (places) => `#compdef didit-oidc
# didit-oidc: source <(didit-oidc completion zsh)
_didit_oidc() {
  local word place=didit-oidc index
  local -a words_here
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    case "$place $word" in
${places.map(({ path }) => `      '${path}') place='${path}' ;;`).join('\n')}
    esac
  done
  case "$place" in
${places.map(({ path, words }) => `    '${path}') words_here=(${words.map(({ word, meaning }) => quoted(`${word}:${meaning.replaceAll(':', '\\:')}`)).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'didit-oidc' words_here || _files
}
compdef _didit_oidc didit-oidc
`,
  fish: (places) =>
    `# didit-oidc: didit-oidc completion fish | source
function __didit_oidc_at
    set -l path didit-oidc
    for word in (commandline -opc)[2..-1]
        switch "$path $word"
${places
  .filter(({ path }) => path.includes(' '))
  .map(({ path }) => `            case '${path}'\n                set path '${path}'`)
  .join('\n')}
        end
    end
    test "$path" = "$argv"
end
${places
  .flatMap(({ path, words }) =>
    words.map(({ word, meaning }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c didit-oidc -n "__didit_oidc_at ${path}" ${what} -d ${fishQuoted(meaning)}`;
    }),
  )
  .join('\n')}
`,
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
