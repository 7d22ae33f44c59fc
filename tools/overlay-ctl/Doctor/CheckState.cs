namespace Overlay.Ctl.Doctor;

internal enum CheckState
{
    Ok,

    /// <summary>It works, but less well, or not for everything.</summary>
    Warn,

    Fail,
}
