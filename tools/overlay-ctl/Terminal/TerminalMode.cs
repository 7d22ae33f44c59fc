using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Ctl.Terminal;

/// <summary>
/// A terminal without some of its modes (echo, whole lines) until this is disposed of, or the process is ended or stopped by a signal. Only SIGKILL
/// leaves it as it is; <c>stty sane</c> helps then.
/// </summary>
internal sealed unsafe class TerminalMode : IDisposable
{
    private readonly int _descriptor;
    private readonly Lock _gate = new();
    private readonly TerminalCalls.Attributes _before, _meanwhile;
    private readonly Action<bool> _onChange;
    private readonly List<PosixSignalRegistration> _signals = [];
    private bool _isOver;

    /// <param name="without">Local modes that are switched off.</param>
    /// <param name="with">Those that are switched on.</param>
    /// <param name="onChange">After each change: true, the modes are ours now; false, the terminal is about to be given back. Quick, and never throws.</param>
    internal TerminalMode(int descriptor, uint without, uint with, Action<bool>? onChange = null)
    {
        _descriptor = descriptor;
        _onChange = onChange ?? (_ => { });
        TerminalCalls.Attributes attributes;
        if (TerminalCalls.GetAttributes(descriptor, &attributes) != 0)
            throw new ControlException(ExitCodes.Failed, "the terminal does not tell its modes.");
        _before = attributes;
        attributes.LocalModes = attributes.LocalModes & ~without | with;
        _meanwhile = attributes;
        // First who gives them back, then the modes.
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT })
            _signals.Add(PosixSignalRegistration.Create(signal, _ => Apply(isOurs: false, TerminalCalls.AndForget)));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, Stop));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, context =>
        {
            context.Cancel = true; // else the runtime would set, after us, the modes that it found when it began
            Apply(isOurs: true);
        }));
        Apply(isOurs: true);
    }

    public void Dispose()
    {
        Apply(isOurs: false);
        lock (_gate)
            _isOver = true;
        _signals.ForEach(signal => signal.Dispose());
    }

    /// <summary>By ourselves: the runtime would not stop at once, and ask on with echo.</summary>
    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        Apply(isOurs: false, TerminalCalls.AndForget);
        _ = Posix.Kill(Environment.ProcessId, Posix.SIGSTOP);
    }

    /// <summary>The signal does afterwards what it does. Half a secret that was typed by then must not come to who reads next, and shows it.</summary>
    private void Apply(bool isOurs, int when = TerminalCalls.Now)
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            if (!isOurs)
                _onChange(false);
            TerminalCalls.Attributes attributes = isOurs ? _meanwhile : _before;
            _ = TerminalCalls.SetAttributes(_descriptor, when, &attributes);
            if (isOurs)
                _onChange(true);
        }
    }
}
