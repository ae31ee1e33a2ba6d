/**
 * Losses and gradients of the self-test's problems, by name: what the float64 reference of the tests answers.
 * Written by test/doctor/make-self-test-values.ts, which says how to run it. A test makes the values again.
 */

import type { StoredValues } from './self-test-summary';

export const selfTestValues: Record<string, StoredValues> = {
  clip: {
    loss: 1.43240623695,
    accuracy: 0.958762886598,
    logitScaleGrad: -0.168706843884,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.459261761393,
      signedSums: [-0.11920994072, 0.146001271526, -0.614637991134, -0.86924138356],
    },
    keyGrads: {
      length: 0.657073543739,
      signedSums: [0.117345646655, -0.322047063237, -0.0311945189675, -0.189224779297],
    },
  },
  'clip, several tiles': {
    loss: 1.83070905846,
    accuracy: 0.941512125535,
    logitScaleGrad: -0.219715166145,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.231615577382,
      signedSums: [0.111854262581, -0.333896196079, 0.113016842954, -0.126762147243],
    },
    keyGrads: {
      length: 0.333897798211,
      signedSums: [0.463837617339, 0.0273503313271, -0.555142618127, -0.525057981076],
    },
  },
  'infonce, positives anywhere': {
    loss: 5.27036764587,
    accuracy: 0,
    logitScaleGrad: 0.0767890273363,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.595183629704,
      signedSums: [0.0104464065387, -0.798901931638, -0.383788739408, 0.903706965678],
    },
    keyGrads: {
      length: 0.935494719144,
      signedSums: [0.63664461851, 0.845374696673, -1.25735468864, 0.246547276546],
    },
  },
  'infonce, four directions': {
    loss: 4.27581062984,
    accuracy: 0.773333333333,
    logitScaleGrad: -0.135698833631,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.381134321978,
      signedSums: [-0.276083011094, -0.0601757177867, 0.372431214877, 0.0824300802333],
    },
    keyGrads: {
      length: 0.575827067193,
      signedSums: [0.342828847678, -0.490937022493, 0.271185255513, 0.132613918355],
    },
  },
  ntxent: {
    loss: 1.00813832017,
    accuracy: 0.987951807229,
    logitScaleGrad: -0.186710684192,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.449132141391,
      signedSums: [0.0982162926688, -0.381396027831, -0.629504371349, -0.829460472403],
    },
    keyGrads: {
      length: 0.685369656089,
      signedSums: [0.185216436142, -0.136407845932, -0.818493076339, -0.258852231886],
    },
  },
  supcon: {
    loss: 5.2809471295,
    accuracy: 0.966666666667,
    logitScaleGrad: 0.0546424981321,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.218856544824,
      signedSums: [-0.100374311747, -0.547956350751, 0.29534201566, 0.221549417598],
    },
    keyGrads: {
      length: 0.204361958644,
      signedSums: [-0.0503270702663, -0.462604217808, 0.390747119318, 0.0751746641177],
    },
  },
  siglip: {
    loss: 2.9156506551,
    accuracy: 0.987341772152,
    logitScaleGrad: -0.0390178171177,
    logitBiasGrad: 1.49105402036,
    queryGrads: {
      length: 0.360118968232,
      signedSums: [0.0527185557822, -0.541292857241, 0.0857362152752, 0.245681335611],
    },
    keyGrads: {
      length: 0.519660259545,
      signedSums: [-0.0545249234798, -0.109067422664, -0.317752976264, 0.478369033793],
    },
  },
  'clip, guide and teacher': {
    loss: 4.01470986039,
    accuracy: 0.931034482759,
    logitScaleGrad: -0.105830979234,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.40779485281,
      signedSums: [-0.249493792252, -0.0557580902771, 0.0437212777729, -0.283411062085],
    },
    keyGrads: {
      length: 0.577218043973,
      signedSums: [-0.367057918154, 0.313205435416, 1.60047774706, -1.01274748447],
    },
  },
  'clip, lists': {
    loss: 3.24671294846,
    accuracy: 0.917647058824,
    logitScaleGrad: -0.0950988845646,
    logitBiasGrad: 0,
    queryGrads: {
      length: 0.353848092096,
      signedSums: [0.587967659116, -0.291818020045, 0.572610560225, 0.234750193023],
    },
    keyGrads: {
      length: 0.521284162656,
      signedSums: [-0.0450505392807, 0.229518747374, 0.316259803672, 0.815255435391],
    },
  },
};
