# Scripts that begin in every odd way. Each is executed by `env`, which reports why it cannot.
script() { printf "$2" >"$1"; chmod +x "$1"; }
script plain.sh '#!/bin/sh\necho "plain $0 $*"\n'
script blanks.sh '#! \t /bin/sh \t \necho "blanks $0 $*"\n'
script argument.sh '#!/bin/sh -e\necho "argument $0 $*"; false; echo not reached\n'
script joined.sh '#! /usr/bin/env -S sh -e\necho "joined $0 $*"\n'
script one_argument.sh "#!$PWD/who a  b c \t\n"
script no_newline.sh "#!$PWD/who"
script no_newline_argument.sh "#!$PWD/who last"
script relative.sh '#!./who relative\n'
script nested.sh '#!./plain.sh x y\nnot read\n'
script nested_2.sh '#!./nested.sh\n'
script nested_3.sh '#!./nested_2.sh\n'
script nested_4.sh '#!./nested_3.sh\n'
script nested_5.sh '#!./nested_4.sh\n'
script itself.sh '#!./itself.sh\n'
script missing.sh '#!/no/such/interpreter\n'
script missing_here.sh '#!./no_such\n'
script empty_line.sh '#!\necho "by the shell that called"\n'
script only_blanks.sh '#!   \t\necho "by the shell that called"\n'
script carriage_return.sh '#!/bin/sh\r\necho no\n'
script binary.sh '#!/bin/sh\0rest\necho no\n'
script a_directory.sh '#!/tmp\n'
script not_executable.sh '#!./refused.txt\n'
script long_argument.sh "#!/bin/echo $(printf 'x%.0s' $(seq 400))\n"
script long_path.sh "#!/$(printf 'x%.0s' $(seq 400))\necho no\n"
script long_blanks.sh "#!$(printf ' %.0s' $(seq 400))/bin/sh\necho no\n"
script no_line.sh 'echo "no line at all $0 $*"\n'
for name in *.sh; do
    env "./$name" 1 '2 3' 2>&1 | sed 's/^env: .*: /env: /'
    echo "$name by env: ${PIPESTATUS[0]}"
done
for name in plain.sh empty_line.sh only_blanks.sh no_line.sh relative.sh; do
    "./$name" 4 5; echo "$name: $?"
done
