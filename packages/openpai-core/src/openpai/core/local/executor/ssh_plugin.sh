# The ssh plugin on one machine: every task has an sshd on loopback, for this job's key only, and
# `ssh ROLE-INDEX` (scp, sftp) leads to it. Nothing of the user's own configuration is touched.
#
# Arguments: the job's folder for its key, the task's own folder, minutes to wait for the others
# (0: not at all).
set -o errexit -o nounset -o pipefail
umask 077
job=$1 own=$2 minutes=$3
PATH=$PATH:/usr/sbin:/sbin

for program in sshd ssh ssh-keygen; do
    if ! command -v "$program" > /dev/null; then
        echo "There is no $program on this machine: the ssh plugin does nothing."
        exit 0
    fi
done
mkdir -p "$job" "$own/bin"

# One key for all tasks: of those that make one at the same time the first wins.
if [ ! -e "$job/id" ]; then
    ssh-keygen -q -t ed25519 -N '' -C 'openpai local job' -f "$job/new-$$"
    ln "$job/new-$$" "$job/id" 2> /dev/null || true
    rm -f "$job/new-$$" "$job/new-$$.pub"
fi
ssh-keygen -y -f "$job/id" > "$own/authorized_keys"
ssh-keygen -q -t ed25519 -N '' -f "$own/host_key"

variables=()
while IFS= read -r line; do
    case ${line%%=*} in
        PAI_* | FC_* | OPENPAI_* | CUDA_VISIBLE_DEVICES | NVIDIA_VISIBLE_DEVICES | PATH)
            [[ $line == *\"* ]] || variables+=("\"$line\"")
            ;;
    esac
done < <(env)
cat > "$own/sshd_config" << END
Port $PAI_CONTAINER_SSH_PORT
ListenAddress 127.0.0.1
HostKey $own/host_key
AuthorizedKeysFile $own/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers $(id -un)
Subsystem sftp internal-sftp
SetEnv ${variables[*]}
END

IFS=, read -r -a tasks <<< "$PAI_TASK_ROLE_INSTANCES"
for task in "${tasks[@]}"; do
    port=PAI_PORT_LIST_${task%:*}_${task#*:}_ssh
    [ -z "${!port:-}" ] || cat << END
Host ${task%:*}-${task#*:}
    HostName 127.0.0.1
    Port ${!port%%,*}
    User $(id -un)
    IdentityFile $job/id
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
END
done > "$own/ssh_config"
printf 'Match all\nInclude ~/.ssh/config /etc/ssh/ssh_config\n' >> "$own/ssh_config"
for program in ssh scp sftp; do
    printf '#!/bin/sh\nexec %s -F "%s" "$@"\n' "$(command -v $program)" "$own/ssh_config" \
        > "$own/bin/$program"
    chmod 700 "$own/bin/$program"
done

[ "$(id -u)" != 0 ] || mkdir -p -m 755 /run/sshd
"$(command -v sshd)" -f "$own/sshd_config" -E "$own/sshd.log"
echo "sshd listens on port $PAI_CONTAINER_SSH_PORT"

[ "$minutes" != 0 ] || exit 0
end=$((SECONDS + minutes * 60))
for task in "${tasks[@]}"; do
    until "$own/bin/ssh" -n -o ConnectTimeout=5 "${task%:*}-${task#*:}" true 2> /dev/null; do
        if [ $SECONDS -ge $end ]; then
            echo "Task ${task%:*}-${task#*:} could not be reached by ssh in $minutes minutes." >&2
            exit 10
        fi
        sleep 0.2
    done
done
echo "All tasks are reached by ssh"
