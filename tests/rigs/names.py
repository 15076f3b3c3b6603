# SPDX-License-Identifier: GPL-3.0-or-later
"""Shape keys and bones as characters of each convention really carry them, written down from published lists.

Not from our profiles: a test that reads both would agree with itself.
"""

from __future__ import annotations

from backend.face import ARKIT_CHANNELS


def words(text: str) -> list[str]:
    """Names without spaces."""
    return text.split()


OCULUS = words("sil PP FF TH DD kk CH SS nn RR aa E ih oh ou")
READY_PLAYER_ME = [f"viseme_{name}" for name in words("sil PP FF TH DD kk CH SS nn RR aa E I O U")]
DAZ = words("AA EE EH ER F IH IY K L M OW S SH T TH UW W")


def cut(name: str, count: int = 15) -> str:
    """MikuMikuDance keeps 15 bytes of a name."""
    return name[:count]


def sided(*names: str) -> list[str]:
    return [f"{name}_{side}" for name in names for side in "LR"]


def small(name: str) -> str:
    return name.replace("Left", "_L").replace("Right", "_R")


CHARACTER_CREATOR_4 = [
    *sided("Eye_Blink", "Eye_Squint", "Eye_Wide", "Mouth_Smile", "Mouth_Frown", "Mouth_Dimple", "Mouth_Stretch"),
    *sided("Mouth_Press", "Mouth_Down_Lower", "Mouth_Up_Upper", "Brow_Drop", "Brow_Raise_Inner", "Brow_Raise_Outer"),
    *sided("Cheek_Puff", "Cheek_Raise", "Nose_Sneer", "Jaw", "Mouth"),
    *("Jaw_Open", "Jaw_Forward", "Mouth_Close", "Mouth_Shrug_Lower", "Mouth_Shrug_Upper", "Tongue_Out"),
    *(f"Eye_{eye}_Look_{way}" for eye in "LR" for way in ("L", "R", "Up", "Down")),
]
STANDARD = ["Mouth_Funnel", "Mouth_Pucker", "Mouth_Roll_In_Lower", "Mouth_Roll_In_Upper"]
EXTENDED = [
    *(f"Mouth_{shape}_{place}" for shape in ("Funnel", "Pucker") for place in ("Up_L", "Up_R", "Down_L", "Down_R")),
    *sided("Mouth_Roll_In_Lower", "Mouth_Roll_In_Upper", "Mouth_Tighten", "Mouth_Blow", "Ear_Up"),
]
PAIRS = words(
    "V_Open V_Explosive V_Dental_Lip V_Tight_O V_Tight V_Wide V_Affricate V_Lip_Open V_Tongue_up V_Tongue_Raise "
    "V_Tongue_Out V_Tongue_Narrow V_Tongue_Lower V_Tongue_Curl_U V_Tongue_Curl_D"
)
TRADITIONAL = words(
    "A01_Brow_Inner_Up A02_Brow_Down_Left A06_Eye_Look_Up_Left A14_Eye_Blink_Left A15_Eye_Blink_Right A20_Cheek_Puff "
    "A25_Jaw_Open A26_Jaw_Forward A27_Jaw_Left A28_Jaw_Right A29_Mouth_Funnel A30_Mouth_Pucker A31_Mouth_Left "
    "A32_Mouth_Right A33_Mouth_Roll_Upper A34_Mouth_Roll_Lower A35_Mouth_Shrug_Upper A36_Mouth_Shrug_Lower "
    "A37_Mouth_Close A38_Mouth_Smile_Left A39_Mouth_Smile_Right A44_Mouth_Upper_Up_Left A46_Mouth_Lower_Down_Left "
    "A48_Mouth_Press_Left A50_Mouth_Stretch_Left A52_Tongue_Out T01_Tongue_Up"
)
METAHUMAN = words(
    "eye_blink_L eye_blink_R brow_down_L mouth_cornerPull_L mouth_cornerPull_R mouth_cornerDepress_L jaw_open jaw_left "
    "mouth_close mouth_funnel mouth_pucker mouth_rollLower mouth_shrugUpper mouth_press_L mouth_lowerDown_L "
    "mouth_upperUp_L tongue_out"
)
METAHUMAN_CONTROLS = words(
    "eyeBlinkL eyeBlinkR jawOpen jawLeft jawFwd mouthCornerPullL mouthCornerPullR mouthStretchL mouthDimpleL "
    "mouthLipsPurseUL mouthLipsPurseUR mouthLipsPurseDL mouthLipsPurseDR mouthFunnelUL mouthFunnelUR mouthFunnelDL "
    "mouthFunnelDR mouthLipsTogetherUL mouthLipsTogetherUR mouthLipsTogetherDL mouthLipsTogetherDR mouthLipsPressL "
    "mouthLipsPressR mouthUpperLipBiteL mouthLowerLipBiteL mouthUpperLipRaiseL mouthLowerLipDepressL tongueOut"
)
AUDIO2FACE = words(
    "browLowerL browLowerR innerBrowRaiserL eyesCloseL eyesCloseR cheekPuffL jawDrop jawDropLipTowards jawThrust "
    "mouthSlideLeft dimplerL lipCornerPullerL lipCornerPullerR lipStretcherL upperLipRaiserL lowerLipDepressorL "
    "chinRaiser lipPressor pucker funneler lipSuck"
)
DAZ_8_1 = words(
    "facs_jnt_EyeBlinkLeft facs_jnt_EyeBlinkRight facs_jnt_JawOpen facs_jnt_JawForward facs_bs_MouthClose_div2 "
    "facs_bs_MouthFunnel_div2 facs_bs_MouthPucker_div2 facs_bs_MouthSmileLeft_div2 facs_bs_MouthSmileRight_div2 "
    "facs_bs_MouthStretchLeft_div2 facs_bs_MouthRollLower_div2 facs_bs_MouthPressLeft_div2 facs_bs_TongueOut "
    "facs_bs_MouthLowerDownLeft_div2 facs_bs_MouthUpperUpLeft_div2 facs_ctrl_CheekPuff facs_BrowDownLeft"
)
DAZ_9 = words(
    "facs_bs_EyeBlinkLeft facs_bs_EyeBlinkRight facs_bs_JawOpen facs_ctrl_JawForward-Recess facs_ctrl_JawLeft-Right "
    "facs_ctrl_MouthClose facs_ctrl_MouthFunnel facs_ctrl_MouthPucker facs_bs_MouthSmileLeft facs_bs_MouthSmileRight "
    "facs_bs_MouthStretchLeft facs_ctrl_MouthRollLower facs_ctrl_MouthPressLeft facs_bs_TongueOut "
    "facs_bs_MouthLowerDownLeft facs_bs_MouthUpperUpLeft facs_ctrl_CheekPuff facs_BrowDownLeft"
)
MICROSOFT = words(
    "aa_ah_ax_01 aa_02 ao_03 ey_eh_uh_04 er_05 y_iy_ih_ix_06 w_uw_07 ow_08 aw_09 oy_10 ay_11 h_12 r_13 l_14 s_z_15 "
    "sh_ch_jh_zh_16 th_dh_17 f_v_18 d_t_n_19 k_g_ng_20 p_b_m_21"
)
FUSE = words(
    "Blink_Left Blink_Right BrowsDown_Left CheekPuff_Left EyesWide_Left Frown_Left Jaw_Left LowerLipDown_Left "
    "LowerLipIn Midmouth_Left MouthNarrow_Left MouthNarrow_Right MouthOpen MouthWhistle_NarrowAdjust_Left Smile_Left "
    "Smile_Right UpperLipIn UpperLipUp_Left TongueUp"
)
CLASSIC = words(
    "Brow_Raise_Inner_Left Brow_Drop_Left Eye_Blink_L Eye_Blink_R Cheek_Raise_L Cheek_Blow_L Mouth_Smile_L "
    "Mouth_Smile_R Mouth_Frown_L Mouth_Pucker Mouth_Pucker_Open Mouth_Widen_Sides Mouth_Plosive Mouth_Lips_Tight "
    "Mouth_Top_Lip_Up Mouth_Top_Lip_Under Mouth_Bottom_Lip_Under Mouth_Snarl_Upper_L Mouth_Snarl_Lower_L Mouth_Open"
)
MAKEHUMAN = words(
    "mouth-open mouth-compression mouth-corner-puller mouth-depression mouth-elevation mouth-eversion mouth-parling "
    "mouth-protusion mouth-pursing mouth-retraction eye-left-closure eye-right-closure eyebrows-left-down"
)
VROID = words(
    "Fcl_ALL_Neutral Fcl_ALL_Joy Fcl_BRW_Angry Fcl_EYE_Close Fcl_EYE_Close_R Fcl_EYE_Close_L Fcl_EYE_Joy Fcl_MTH_Close "
    "Fcl_MTH_Up Fcl_MTH_Angry Fcl_MTH_Small Fcl_MTH_A Fcl_MTH_I Fcl_MTH_U Fcl_MTH_E Fcl_MTH_O Fcl_HA_Fung1"
)

CHARACTERS: dict[str, tuple[str, list[str]]] = {
    "ARKit": ("arkit", list(ARKIT_CHANNELS)),
    "ARKit, Face Cap": ("arkit", [small(name) for name in ARKIT_CHANNELS]),
    "ARKit, MMD export": ("arkit", [cut(name) for name in ARKIT_CHANNELS]),
    "ARKit, mouth only": ("arkit", [name for name in ARKIT_CHANNELS if name.startswith(("jaw", "mouth"))]),
    "ARKit, Rocketbox": ("arkit", [f"AK_{number:02}_{name}" for number, name in enumerate(sorted(ARKIT_CHANNELS), 1)]),
    "ARKit, MPFB2 face units": ("arkit", [f"!ex-{name}" for name in ARKIT_CHANNELS]),
    "ICT FaceKit": (
        "ict_facekit",
        [small(name) for name in ARKIT_CHANNELS if name not in ("tongueOut", "browInnerUp", "cheekPuff")]
        + sided("browInnerUp", "cheekPuff", "cheekRaiser"),
    ),
    "Ready Player Me, both sets": ("arkit", [*ARKIT_CHANNELS, *READY_PLAYER_ME, "mouthOpen", "mouthSmile"]),
    "Ready Player Me, visemes": ("oculus", [*READY_PLAYER_ME, "mouthOpen", "mouthSmile", "eyesClosed"]),
    "Ready Player Me, plain": ("mouth_open", ["mouthOpen", "mouthSmile"]),
    "VRChat": ("oculus", [f"vrc.v_{name.lower()}" for name in OCULUS] + ["Blink", "Smile", "Hat off"]),
    "Oculus, bare": ("oculus", OCULUS),
    "Oculus, Rocketbox": ("oculus", [f"AA_VI_{number:02}_{name}" for number, name in enumerate(OCULUS)]),
    "MPFB2 visemes02": ("oculus", [f"!ex-{name}" for name in READY_PLAYER_ME]),
    "VRM 1.0": ("vrm1", ["aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight", "happy", "relaxed"]),
    "VRM 0.x": ("vrm0", ["A", "I", "U", "E", "O", "Blink", "Blink_L", "Blink_R", "Joy", "Fun"]),
    "VRM 0.x, small letters": ("vrm0", ["a", "i", "u", "e", "o"]),
    "VRoid Studio": ("vroid", VROID),
    "VRoid Studio, old": ("vroid", [f"Face.M_F00_000_00_{name}" for name in VROID]),
    "MMD": (
        "mmd",
        ["まばたき", "笑い", "ウィンク", "ウィンク右", "あ", "い", "う", "え", "お", "ん", "ﾜ", "にやり", "困る"],
    ),
    "MMD, translated": ("mmd", ["Ah", "Ch", "U", "E", "Oh", "Hmm", "Blink", "Grin"]),
    "Rhubarb": ("rhubarb", list("ABCDEFGHX")),
    "Rhubarb, basic": ("rhubarb", [f"mouth_{letter}" for letter in "ABCDEF"]),
    "Preston Blair": ("preston_blair", words("AI O E U etc L WQ MBP FV rest")),
    "Microsoft, Faceit": ("microsoft", MICROSOFT),
    "Microsoft, MPFB2 visemes01": ("microsoft", ["sil_00", *MICROSOFT]),
    "Character Creator 4, standard": ("cc4", CHARACTER_CREATOR_4 + STANDARD + PAIRS),
    "Character Creator 4, extended": ("cc4", CHARACTER_CREATOR_4 + EXTENDED + PAIRS),
    "Character Creator 3": ("cc3", TRADITIONAL),
    "Character Creator 3, classic": ("cc3_classic", CLASSIC),
    "iClone pairs": ("iclone", PAIRS),
    "iClone pairs, CC3": ("iclone", [name.removeprefix("V_").replace("_O", "-O") for name in PAIRS[:8]]),
    "iClone direct": ("iclone_direct", words("EE Er IH Ah Oh W_OO S_Z Ch_J F_V TH T_L_D_N B_M_P K_G_H_NG AE R")),
    "DAZ Genesis 8": ("daz8", [f"eCTRLv{name}" for name in DAZ]),
    "DAZ Genesis 3 FBX": ("daz8", [f"Genesis3Female__eCTRLv{name}" for name in DAZ]),
    "DAZ Genesis 2": ("daz8", [f"head__VSM{name}" for name in DAZ]),
    "DAZ Genesis 8.1": ("daz8_1", DAZ_8_1),
    "DAZ Genesis 9": ("daz9", DAZ_9),
    "DAZ Genesis 9 visemes": ("daz9_visemes", [f"facs_ctrl_v{name}" for name in DAZ]),
    "MetaHuman FBX": ("metahuman", [f"head_lod0_mesh__{name}" for name in METAHUMAN]),
    "MetaHuman curves": ("metahuman_controls", [f"CTRL_expressions_{name}" for name in METAHUMAN_CONTROLS]),
    "Audio2Face": ("audio2face", AUDIO2FACE),
    "Fuse": ("fuse", [f"Facial_Blends.{name}" for name in FUSE]),
    "MakeHuman": ("makehuman", MAKEHUMAN),
}
"""Title: the profile that it has to be recognised as, and the names of its shape keys."""

STRANGERS: dict[str, list[str]] = {
    "nothing": [],
    "Blender's own names": ["Key 1", "Key 2", "Key 3"],
    "a body": ["Fat", "Muscular", "Belly", "left", "right", "L", "R"],
    "one smile": ["Key 1", "smile", "frown"],
    "correctives": ["corrective_jawOpen", "knee_bend_L", "knee_bend_R"],
    "a few letters": ["A", "B", "Circle"],
    "random": ["qx01", "qx02", "zz_7", "shape.004", "blob"],
}
